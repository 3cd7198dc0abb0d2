"""Figures."""

from benchmarks.quality.other.data import EXPENSES, WEATHER
from benchmarks.quality.task import Step, Task, one

PLT = "import matplotlib.pyplot as plt\n"
SCORERS = PLT + 'goals = {"Okafor": 14, "Lind": 9, "Marsh": 21, "Duarte": 6, "Kovac": 11}\n'
REACTION = (
    PLT
    + """\
import numpy as np
rt_ms = np.random.default_rng(21).lognormal(5.7, 0.25, 120).round()   # reaction times of the class
"""
)
LEAVES = (
    PLT
    + """\
import pandas as pd
leaves = pd.DataFrame({
    "Species": ["oak", "oak", "oak", "birch", "birch", "birch", "elm", "elm", "elm"],
    "Length (cm)": [10.2, 11.5, 9.8, 5.1, 4.7, 5.6, 7.9, 8.4, 7.2],
    "Width (cm)": [6.1, 6.8, 5.5, 3.9, 3.5, 4.2, 4.6, 5.0, 4.4],
})
"""
)
ROOM = (
    PLT
    + """\
hours = list(range(0, 24, 3))
indoor = [19.5, 19.1, 18.8, 19.6, 20.9, 21.8, 21.4, 20.2]
outdoor = [4.1, 2.9, 2.2, 5.8, 10.4, 12.1, 8.7, 5.5]
"""
)
STEPS = (
    PLT
    + """\
import numpy as np
import pandas as pd
steps = pd.DataFrame({"day": pd.date_range("2024-04-01", periods=30),
                      "Steps": np.random.default_rng(4).integers(2500, 14000, 30)})
"""
)

TASKS = [
    Task(
        "other-matplotlib-01",
        "matplotlib",
        SCORERS,
        (
            Step("bar chart of the goals", "plt.bar(list(goals), list(goals.values()))", figure=True),
            Step(
                "just the three best scorers",
                "top = sorted(goals.items(), key=lambda item: -item[1])[:3]\n"
                "plt.figure()\n"
                "plt.bar([name for name, _ in top], [number for _, number in top])",
                figure=True,
            ),
        ),
    ),
    one(
        "other-matplotlib-02",
        "matplotlib",
        REACTION,
        "Histogram of rt_ms with 12 bins, and write 'reaction time (ms)' on the x axis",
        "plt.hist(rt_ms, bins=12)\nplt.xlabel('reaction time (ms)')",
        figure=True,
        exact_bins=True,
        texts=("reaction time (ms)",),
    ),
    one(
        "other-matplotlib-03",
        "matplotlib",
        LEAVES,
        "scatter leaf length (x) against width, a different colour for each species and a legend so I know which is "
        "which",
        "for name, part in leaves.groupby('Species'):\n"
        "    plt.scatter(part['Length (cm)'], part['Width (cm)'], label=name)\n"
        "plt.legend()",
        figure=True,
        texts=("oak", "birch", "elm"),
    ),
    one(
        "other-matplotlib-04",
        "matplotlib",
        ROOM,
        "plot indoor and outdoor temperature over the hours in one plot with legend, title 'Living room, 3 March'",
        "plt.plot(hours, indoor, label='indoor')\nplt.plot(hours, outdoor, label='outdoor')\n"
        "plt.legend()\nplt.title('Living room, 3 March')",
        figure=True,
        texts=("indoor", "outdoor", "Living room, 3 March"),
    ),
    Task(
        "other-matplotlib-05",
        "matplotlib",
        STEPS,
        (
            Step("plot my steps per day as a line", "plt.plot(steps['day'], steps['Steps'])", figure=True),
            Step(
                "same plot plus a line with the 7 day rolling mean",
                "plt.figure()\nplt.plot(steps['day'], steps['Steps'])\n"
                "plt.plot(steps['day'], steps['Steps'].rolling(7).mean())",
                figure=True,
                also=(
                    "plt.figure()\nplt.plot(steps['day'], steps['Steps'])\n"
                    "plt.plot(steps['day'], steps['Steps'].rolling(7, min_periods=1).mean())",
                    "plt.figure()\nplt.plot(steps['day'], steps['Steps'])\n"
                    "plt.plot(steps['day'], steps['Steps'].rolling(7, center=True).mean())",
                ),
            ),
        ),
    ),
    one(
        "other-matplotlib-06",
        "matplotlib",
        EXPENSES + PLT,
        "pie of how our spending splits over the categories",
        "total = exp.groupby('Category')['Amount (EUR)'].sum()\nplt.pie(total, labels=total.index)",
        figure=True,
        texts=("food", "rent", "transport", "fun"),
    ),
    one(
        "other-matplotlib-07",
        "matplotlib",
        WEATHER + PLT,
        "draw a bar for each station's total rainfall, label the y axis mm",
        "total = wx.groupby('Station')['Rain (mm)'].sum()\nplt.bar(total.index, total)\nplt.ylabel('mm')",
        figure=True,
        texts=("mm",),
    ),
]
