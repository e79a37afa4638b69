"""The project's stacks: which there are, and their files."""
