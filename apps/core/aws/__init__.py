"""AWS through boto3: clients, errors and secrets."""
