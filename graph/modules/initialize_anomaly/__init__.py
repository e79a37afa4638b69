"""Machine Learning / Initialize Model / Anomaly Detection."""
