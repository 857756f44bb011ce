"""The reference: the OpenAPI document, and the pages under `/docs/`."""
