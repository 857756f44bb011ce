"""Comparison of the three stores: what differs, and what repairs it."""
