"""Data Transformation / Manipulation."""
