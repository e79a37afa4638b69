"""Who the members of a fleet are, and what each is trained from."""
