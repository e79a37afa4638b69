"""Data Format Conversions."""
