"""What a notebook shows of an answer."""
