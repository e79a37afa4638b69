"""What only a local studio has: its journal and its health, below ``/_local``."""
