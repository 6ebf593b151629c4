"""What is true behind the files: each person's risks, what a model could know of them, and groups that no model may see."""
