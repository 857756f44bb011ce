"""Changes of accounts in three stores: pending changes, their effects, and the history."""
