"""Machine Learning / Initialize Model / Classification: learners of several classes."""
