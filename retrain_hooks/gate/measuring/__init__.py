"""How a model is measured on held-out rows, by its task; and by a team's own functions."""
