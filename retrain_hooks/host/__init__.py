"""The host's side of a lifecycle: its protocol, its context, interruption and progress."""
