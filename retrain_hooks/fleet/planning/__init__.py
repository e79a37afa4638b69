"""What is wanted of each member, compared with what is there."""
