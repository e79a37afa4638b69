"""From data to an endpoint: what is trained, judged and bound."""
