"""Blob containers, storage accounts, and blobs by their address."""

from clients.storage.beginnings import beginning
from clients.storage.container import Container
from clients.storage.reference import Blob, BlobRef

__all__ = ["Blob", "BlobRef", "Container", "beginning"]
