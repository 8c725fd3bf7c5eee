"""The HTTP API: routes as values, bodies, errors, who calls, and the OpenAPI document."""
