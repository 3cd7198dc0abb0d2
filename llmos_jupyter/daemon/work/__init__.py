"""The daemon's work: generations and background cells, from acceptance to their end, on one schedule."""
