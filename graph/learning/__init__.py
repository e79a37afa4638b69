"""Learners: what is fitted to a dataset, how, and how what was fitted becomes data."""
