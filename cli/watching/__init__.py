"""`./dev watch`: a stack's triggers are looked at, and what they fire is previewed and applied under its policy."""
