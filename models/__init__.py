"""What is predicted, how well, and why."""
