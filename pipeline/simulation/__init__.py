"""A synthetic cohort in causal order: workplace, person, latent health, absence, response, and what each source tells."""
