"""`make load`: many requests, mixed with junk, to gunicorn."""
