"""Blobs: the proxy before Azurite, and the references to blobs that requests carry."""
