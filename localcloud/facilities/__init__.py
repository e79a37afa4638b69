"""What all parts of the local cloud stand on: store, journal, logs, errors, files."""
