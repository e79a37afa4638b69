"""The processes of a run: the program and its providers, started or forked, and what signals do to them."""
