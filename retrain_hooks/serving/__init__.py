"""What an endpoint serves, and what it answers."""
