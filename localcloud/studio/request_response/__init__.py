"""The Request-Response Service: rows in, scores out (api-version 2.0)."""
