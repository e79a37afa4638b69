"""Who owns what: a stack's lineage, its claim to its name, and its marks on the physical things that it made."""
