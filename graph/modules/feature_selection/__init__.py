"""Feature Selection."""
