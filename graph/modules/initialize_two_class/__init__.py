"""Machine Learning / Initialize Model / Classification: learners of two classes."""
