"""What absence costs, what prevention costs, and when contacting somebody is worth it."""
