"""Machine Learning / Train."""
