"""Experiment packages as they are declared."""
