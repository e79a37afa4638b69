"""What several modules calculate with."""
