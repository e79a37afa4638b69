"""Batch jobs: kept, queued, and run in worker processes."""
