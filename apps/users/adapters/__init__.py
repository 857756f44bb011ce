"""Clients of the services that hold accounts."""
