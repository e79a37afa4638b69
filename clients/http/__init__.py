"""HTTP in one place: connections, deadlines, retries, errors. No other room imports an HTTP library."""
