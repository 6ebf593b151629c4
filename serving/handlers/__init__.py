"""One module per group of routes: what is answered. Who may ask is in serving.access, how it travels in serving.exchange."""
