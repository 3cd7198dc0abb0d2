"""Which model and how much effort a request gets, why anything was decided as it was, and the story of each task."""
