"""What a run did to the notebook's names, in the words that a user reads."""
