"""AWS through botocore: clients, errors and secrets."""
