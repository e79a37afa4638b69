"""Trained models as data."""
