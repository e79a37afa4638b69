"""What lives longer than a stack: runs, markers, notes, and what becomes of them."""
