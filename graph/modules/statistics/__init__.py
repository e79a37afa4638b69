"""Statistical Functions."""
