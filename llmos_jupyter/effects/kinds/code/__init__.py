"""Functions, classes and types: made from the text of the cell, never from code that comes home."""
