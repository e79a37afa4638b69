"""Datasets of the Studio API: uploads in blocks, versions in families, downloads by a SAS."""
