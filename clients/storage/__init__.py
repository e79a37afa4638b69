"""Blob containers, storage accounts, and blobs by their address."""

from clients.storage.container import Blob, Container
from clients.storage.reference import BlobRef

__all__ = ["Blob", "BlobRef", "Container"]
