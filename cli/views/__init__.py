"""How a run is shown: line by line, with all properties, or as JSON."""
