"""The numpy tasks in other words."""

WORDS: dict[str, tuple[str, ...]] = {
    "numpy-01": ("add up the numbers in every row of grid",),
    "numpy-02": ("make a copy of grid named clipped in which everything below zero is zero",),
    "numpy-03": ("Where (row, column) is the maximum of grid and what is it? show value, row, column",),
    "numpy-04": ("det of grid?",),
    "numpy-05": ("Find x such that grid times x equals the vector [1, 2, 3]",),
    "numpy-06": ("average of temps ignoring nan",),
    "numpy-07": ("count the nan entries of temps",),
    "numpy-08": ("temps is in Celsius; I need temps_f in Fahrenheit",),
    "numpy-09": ("min-max scale signal into an array scaled",),
    "numpy-10": ("rolling mean over 3 neighbouring values of signal, without padding at the ends",),
    "numpy-11": ("centre the columns of grid (each column minus its mean)",),
    "numpy-12": ("column means of grid", "the row means too", "index of the row whose mean is largest"),
    "numpy-13": ("clean = temps without nan", "its std?"),
    "numpy-14": ("for which value of t does signal have its maximum", "its minimum?"),
    "numpy-15": ("ordered = grid with every row sorted", "I want the columns sorted instead"),
    "numpy-16": ("count the entries of grid above 3", "which ones?"),
}
