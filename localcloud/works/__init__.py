"""What the local cloud keeps and does, whatever the protocol that asks: services, models, graphs, jobs."""
