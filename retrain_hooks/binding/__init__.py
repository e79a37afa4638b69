"""Bindings: a model is brought to its endpoints, ring by ring."""
