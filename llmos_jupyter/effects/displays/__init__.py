"""What a run shows: recorded in the sandbox, made safe, shown again in the notebook."""
