"""The three optimisation models, and the strategy by which a request is answered."""
