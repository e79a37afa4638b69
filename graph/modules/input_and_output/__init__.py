"""Data Input and Output."""
