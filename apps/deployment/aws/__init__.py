"""Lambda functions, REST APIs and stacks, through boto3."""
