"""Hasura claims: what a token says, where they are kept, and the trigger that puts one into the other."""
