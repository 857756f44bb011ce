"""Clients for Lambda functions, REST APIs and CloudFormation stacks."""
