"""Data Transformation / Sample and Split."""
