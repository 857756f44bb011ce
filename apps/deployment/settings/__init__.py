"""zappa_settings.json: read, checked, and completed for a stage."""
