"""One record in, one explained risk out."""
