"""Text Analytics."""
