"""The matplotlib tasks in other words."""

WORDS: dict[str, tuple[str, ...]] = {
    "matplotlib-01": ("draw the temperature by month as a line",),
    "matplotlib-02": ("show rain_mm for every month as bars",),
    "matplotlib-03": ("Make a scatter chart, x = Temp C, y = rain_mm",),
    "matplotlib-04": ("plot a 5-bin histogram of the heights list",),
    "matplotlib-05": ("histogram of heights please, titled Heights",),
    "matplotlib-06": ("draw shares as a pie, with the names written on it",),
    "matplotlib-07": ("sum units by Region and draw the sums as bars",),
    "matplotlib-08": ("points of math and physics scores; name the axes math and physics",),
    "matplotlib-09": ("draw the curves x^2 and x^3 together, add a legend",),
    "matplotlib-10": ("physics score by student name, bars going sideways",),
    "matplotlib-11": ("sum of units for each Product", "show that in a bar chart"),
    "matplotlib-12": (
        "line chart: rain_mm by month",
        "use bars instead and call it Rain 2024",
        "now Temp C the same way, titled Temperature",
    ),
    "matplotlib-13": ("draw heights as a histogram using 4 bins", "use 10 bins instead"),
}
