"""Builds and checks the package that Lambda runs."""
