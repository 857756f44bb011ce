"""Facts about AWS that the API relies on, asked of a stage as it is."""
