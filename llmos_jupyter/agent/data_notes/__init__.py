"""What the live data say of an answer: rows that multiply, values that are not read as they are meant."""
