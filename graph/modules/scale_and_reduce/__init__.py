"""Data Transformation / Scale and Reduce."""
