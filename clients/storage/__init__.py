"""Blob containers, storage accounts, and blobs by their address."""

from clients.storage.container import Blob, BlobRef, Container

__all__ = ["Blob", "BlobRef", "Container"]
