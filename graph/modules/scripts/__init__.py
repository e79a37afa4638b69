"""Python Language Modules."""
