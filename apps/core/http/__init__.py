"""HTTP: middleware, headers, parsers, renderers, routes, throttles, and the error body."""
