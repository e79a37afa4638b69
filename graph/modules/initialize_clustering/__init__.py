"""Machine Learning / Initialize Model / Clustering."""
