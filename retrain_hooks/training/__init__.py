"""Trained models: one training run for each distinct input."""
