"""Who is worked on when, and how many at once."""
