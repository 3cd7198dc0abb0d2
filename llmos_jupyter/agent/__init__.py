"""From words to a run cell: everything that happens inside the notebook's kernel."""
