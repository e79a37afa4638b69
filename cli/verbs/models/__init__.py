"""Verbs about runs, models and members."""
