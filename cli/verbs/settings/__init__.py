"""Verbs about the stack and its files."""
