"""Notifications: what is told of a model, and to whom."""
