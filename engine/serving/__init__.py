"""The gRPC services that the program's SDK talks to."""
