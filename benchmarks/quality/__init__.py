"""How often the loop answers rightly, against the bare model: notebook tasks graded by the values they leave behind."""
