"""What the model writes, as it comes: deadlines, interruptions, repetition."""
