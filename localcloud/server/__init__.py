"""The server: one process, one application, all APIs."""
