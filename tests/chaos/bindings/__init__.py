"""The campaign of bindings: updates that meet faults, and whether what they report is true (``./dev chaos --bindings``)."""
