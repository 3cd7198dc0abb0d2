"""What is said to an inference server and what it answers: our own, or one elsewhere. Sent is only what it can do."""
