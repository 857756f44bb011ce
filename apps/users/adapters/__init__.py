"""Other services that accounts live in."""
