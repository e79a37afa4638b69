"""Machine Learning / Evaluate."""
