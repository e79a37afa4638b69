"""Graphs run: once as a batch, again and again for requests, and timed."""
