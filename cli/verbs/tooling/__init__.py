"""Verbs about the machine and the project itself."""
