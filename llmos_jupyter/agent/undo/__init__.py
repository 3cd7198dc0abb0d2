"""What a run in the notebook itself changes, kept before and put back after."""
