"""Sign-in through the hosted UI of Cognito, for developers in a browser."""
