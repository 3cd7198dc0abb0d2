"""Which model and how much effort a request gets, and why anything was decided as it was."""
