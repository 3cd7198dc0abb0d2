"""Plots."""

from benchmarks.quality.task import Step, Task, one
from benchmarks.quality.tasks.frames import SALES, STUDENTS

WEATHER = """\
import pandas as pd
weather = pd.DataFrame({
    'month': ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun'],
    'Temp C': [1.5, 3.0, 7.2, 12.1, 16.8, 19.9],
    'rain_mm': [42, 38, 45, 31, 55, 60],
})"""
HEIGHTS = (
    "heights = [171, 168, 180, 175, 169, 182, 177, 165, 190, 173, 174, 170, 176, 181, 167, 172, 179, 185, 163, 178]"
)
SHARES = "shares = {'rent': 900, 'food': 400, 'travel': 150, 'other': 250}"
PLT = "import matplotlib.pyplot as plt\n"
UNITS = "s = sales.groupby('Region')['units'].sum()\n"

TASKS = [
    one(
        "matplotlib-01",
        "matplotlib",
        WEATHER,
        "line plot of Temp C over the months",
        PLT + "plt.plot(weather['month'], weather['Temp C'])",
        figure=True,
    ),
    one(
        "matplotlib-02",
        "matplotlib",
        WEATHER,
        "bar chart of the rain per month",
        PLT + "plt.bar(weather['month'], weather['rain_mm'])",
        figure=True,
    ),
    one(
        "matplotlib-03",
        "matplotlib",
        WEATHER,
        "scatter plot of temperature against rain (temperature on the x axis)",
        PLT + "plt.scatter(weather['Temp C'], weather['rain_mm'])",
        figure=True,
    ),
    one(
        "matplotlib-04",
        "matplotlib",
        HEIGHTS,
        "histogram of heights with 5 bins",
        PLT + "plt.hist(heights, bins=5)",
        figure=True,
        exact_bins=True,
    ),
    one(
        "matplotlib-05",
        "matplotlib",
        HEIGHTS,
        "show the distribution of heights as a histogram with the title Heights",
        PLT + "plt.hist(heights)\nplt.title('Heights')",
        figure=True,
        texts=("Heights",),
    ),
    one(
        "matplotlib-06",
        "matplotlib",
        SHARES,
        "pie chart of shares with labels",
        PLT + "plt.pie(list(shares.values()), labels=list(shares))",
        figure=True,
        texts=("rent", "travel"),
    ),
    one(
        "matplotlib-07",
        "matplotlib",
        SALES,
        "bar chart of the total units in each region",
        PLT + UNITS + "plt.bar(s.index, s.values)",
        figure=True,
    ),
    one(
        "matplotlib-08",
        "matplotlib",
        STUDENTS,
        "scatter plot math vs physics, label the axes math and physics",
        PLT + "plt.scatter(students.math, students.physics)\nplt.xlabel('math')\nplt.ylabel('physics')",
        figure=True,
        also=(PLT + "plt.scatter(students.physics, students.math)",),
        texts=("math", "physics"),
    ),
    one(
        "matplotlib-09",
        "matplotlib",
        "import numpy as np\nx = np.linspace(-2, 2, 41)",
        "plot x squared and x cubed in one figure with a legend",
        PLT + "plt.plot(x, x**2)\nplt.plot(x, x**3)\nplt.legend(['x squared', 'x cubed'])",
        figure=True,
    ),
    one(
        "matplotlib-10",
        "matplotlib",
        STUDENTS,
        "horizontal bar chart of each student's physics score",
        PLT + "plt.barh(students.name, students.physics)",
        figure=True,
    ),
    Task(
        "matplotlib-11",
        "matplotlib",
        SALES,
        (
            Step("units per product", "sales.groupby('Product')['units'].sum()"),
            Step(
                "plot it as bars",
                PLT + "s = sales.groupby('Product')['units'].sum()\nplt.bar(s.index, s.values)",
                figure=True,
            ),
        ),
    ),
    Task(
        "matplotlib-12",
        "matplotlib",
        WEATHER,
        (
            Step(
                "plot the rain as a line over month",
                PLT + "plt.plot(weather['month'], weather['rain_mm'])",
                figure=True,
            ),
            Step(
                "now as a bar chart, with the title Rain 2024",
                PLT + "plt.bar(weather['month'], weather['rain_mm'])\nplt.title('Rain 2024')",
                figure=True,
                texts=("Rain 2024",),
            ),
            Step(
                "the same with the temperature, title Temperature",
                PLT + "plt.bar(weather['month'], weather['Temp C'])\nplt.title('Temperature')",
                figure=True,
                texts=("Temperature",),
            ),
        ),
    ),
    Task(
        "matplotlib-13",
        "matplotlib",
        HEIGHTS,
        (
            Step("histogram of heights, 4 bins", PLT + "plt.hist(heights, bins=4)", figure=True, exact_bins=True),
            Step("make it 10 bins", PLT + "plt.hist(heights, bins=10)", figure=True, exact_bins=True),
        ),
    ),
]
