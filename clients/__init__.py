"""How services are spoken to: typed REST clients over one transport, one clock, one credential resolver."""
