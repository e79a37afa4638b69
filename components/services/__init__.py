"""Workspaces and the web services in them."""
