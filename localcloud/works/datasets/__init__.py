"""Datasets of classic workspaces: their versions, what is uploaded of one that is to come, and their blobs."""
