"""The questions in other words."""

WORDS: dict[str, tuple[str, ...]] = {
    "words-01": ("Australia's capital city is called what?",),
    "words-02": ("What's the name of the pandas method for combining two DataFrames by a shared column?",),
    "words-03": ("describe sales in one sentence, with the names of the columns",),
    "words-04": ("what is a median, in a single sentence?",),
    "words-05": ("I got 'IndexError: list index out of range'. What does that mean?",),
    "words-06": ("what is random_state in train_test_split good for?",),
    "words-07": ("average math score by class", "what does groupby do? please explain in a sentence"),
    "words-08": ("number of patients?", "in which columns are values missing?"),
    "words-09": ("list or set: which one checks membership faster?", "what is the reason?"),
}
