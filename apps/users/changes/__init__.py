"""Changes of accounts in the three stores, with pending changes and the history."""
