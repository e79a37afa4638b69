"""Verbs that change what is deployed, or show it."""
