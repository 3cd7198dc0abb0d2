"""Dates and times."""

from benchmarks.quality.other.data import LOANS
from benchmarks.quality.task import Step, Task, one

METER = """\
import numpy as np
import pandas as pd

r = np.random.default_rng(9)
meter = pd.DataFrame({"Day": pd.date_range("2023-11-06", "2024-02-25"), "kWh": 0.0})
meter["kWh"] = r.normal(9, 2, len(meter)).round(2)
"""
BIRTHDAYS = """\
from datetime import date

born = {"Tariq": date(2008, 9, 14), "Elsa": date(2009, 1, 3), "Mo": date(2008, 8, 30), "Chloe": date(2010, 9, 1)}
"""
FERRY = """\
departures = ["06:10", "06:55", "07:30", "08:00", "08:50", "10:20", "11:05"]
"""
VISITS = """\
import pandas as pd

visits = pd.DataFrame({"when": ["03/04/2024 09:15", "17/04/2024 14:00", "02/05/2024 08:45", "11/05/2024 16:30"],
                       "patient": ["KR", "LV", "KR", "BB"]})
"""
BY_MONTH = "meter.groupby(meter['Day'].dt.to_period('M'))['kWh']"
# The data hold no month twice.
BY_NUMBER = "meter.groupby(meter['Day'].dt.month)['kWh']"
BY_NAME = "meter.groupby(meter['Day'].dt.month_name())['kWh']"
GAPS = (
    "minutes = [int(d[:2]) * 60 + int(d[3:]) for d in departures]\n"
    "gaps = [b - a for a, b in zip(minutes, minutes[1:])]\n"
)

TASKS = [
    Task(
        "other-dates-01",
        "dates",
        METER,
        (
            Step("total kWh per month", f"{BY_MONTH}.sum()", also=(f"{BY_NUMBER}.sum()", f"{BY_NAME}.sum()")),
            Step(
                "daily average for each month instead",
                f"{BY_MONTH}.mean()",
                also=(f"{BY_NUMBER}.mean()", f"{BY_NAME}.mean()"),
            ),
            Step(
                "now by weekday (the averages)",
                "meter.groupby(meter['Day'].dt.day_of_week)['kWh'].mean()",
                also=(
                    "meter.groupby(meter['Day'].dt.day_name())['kWh'].mean()",
                    "meter.groupby(meter['Day'].dt.strftime('%a'))['kWh'].mean()",
                ),
            ),
        ),
    ),
    one(
        "other-dates-02",
        "dates",
        LOANS,
        "Books are due 28 days after they were loaned. Add the due date to loans as column due",
        "loans['due'] = loans['loaned'] + pd.Timedelta(days=28)",
        into="loans",
        changes=("loans",),
    ),
    one(
        "other-dates-03",
        "dates",
        BIRTHDAYS,
        "how old (full years) will each of the kids be on 1 September 2024?",
        "day = date(2024, 9, 1)\n"
        "{n: day.year - b.year - ((day.month, day.day) < (b.month, b.day)) for n, b in born.items()}",
    ),
    Task(
        "other-dates-04",
        "dates",
        FERRY,
        (
            Step(
                "minutes between one ferry and the next?",
                f"{GAPS}gaps",
                also=(f"{GAPS}[None, *gaps]",),
                ordered=True,
            ),
            Step("longest wait?", f"{GAPS}max(gaps)"),
        ),
    ),
    one(
        "other-dates-05",
        "dates",
        VISITS,
        "The column when in visits is text, day first. make real datetimes out of it",
        "visits['when'] = pd.to_datetime(visits['when'], format='%d/%m/%Y %H:%M')",
        into="visits",
        changes=("visits",),
    ),
]
