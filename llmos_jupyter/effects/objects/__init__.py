"""What the notebook's names reach, and what each object is made of, looked at without running its code."""
