"""Steps, and what carries them out: hooks, calls to providers, the state as it grows."""
