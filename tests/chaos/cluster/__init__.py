"""Jobs on a Dask cluster whose workers and scheduler are killed, and what the books say after it."""
