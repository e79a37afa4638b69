"""Run history: how a job goes, its logs and outputs, and changes of what is said about it."""
