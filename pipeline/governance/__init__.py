"""The governance pack: what is in service, on which data, who looked, what went wrong, and what only people can answer."""
