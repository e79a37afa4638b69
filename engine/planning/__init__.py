"""What is decided of each registration, before any step: names, requests, targets, the plan."""
