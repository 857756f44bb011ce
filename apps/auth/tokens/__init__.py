"""ID tokens: their rules, the keys of the pool, and the verifier."""
