"""Many models and endpoints from one experiment: who its members are, what each is to get, and how all get it."""
