"""Batch execution and request-response: the same API for classic and New web services (api-version 2.0)."""
