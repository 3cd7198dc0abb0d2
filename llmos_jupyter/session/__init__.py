"""One notebook's side of llmos: magics, sub-commands, background tasks, and how they are shown."""
