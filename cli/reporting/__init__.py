"""What a report tells, gathered: from the registry, the stack's state, and by scoring rows here."""
