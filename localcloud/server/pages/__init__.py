"""The page of the local cloud, at ``/``: what it serves, its jobs, its journal, a row to score."""
