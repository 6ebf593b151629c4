"""Erasing a person: where names stand, how files lose rows, what DVC and the models remember, and the proof."""
