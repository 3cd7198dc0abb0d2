"""Every task's requests in other words. Nothing is tuned on these."""
