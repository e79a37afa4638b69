"""Data versions: which blobs they are, and what identifies their content."""
