"""What was known at the index date, as numbers."""
