"""HTTP: middleware, headers, parsers, renderers, routes, throttles, and the one error body."""
