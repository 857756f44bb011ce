"""Hasura claims: their format, their items in DynamoDB, and the trigger that adds them to tokens."""
