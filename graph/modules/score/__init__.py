"""Machine Learning / Score."""
