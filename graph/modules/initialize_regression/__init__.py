"""Machine Learning / Initialize Model / Regression: learners of a number."""
