"""The classic management API: web services, their endpoints, and the PATCH that replaces a model."""
