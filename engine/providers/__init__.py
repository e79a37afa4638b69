"""What the engine says to providers, and how: plugins, the wire, the provider resources of a run."""
