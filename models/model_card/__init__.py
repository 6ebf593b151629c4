"""A model card per version, written from the facts of a run: what the model is for, how well it works, what is missing."""
