"""How a member gets what is wanted: its parts, the staging endpoints, the bake."""
