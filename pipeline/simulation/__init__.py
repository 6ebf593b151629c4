"""A synthetic cohort in causal order: workplace, person, latent health, absence, response, what each source tells."""
