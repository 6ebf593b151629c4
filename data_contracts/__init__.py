"""What may come in, and the words for it."""
