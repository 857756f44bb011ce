"""Reads and checks zappa_settings.json, and completes it for a stage."""
