"""The Studio API: workspaces, experiments, and publishing them as web services."""
