"""Dates and times."""

# ruff: noqa: E501  (a line of code within a task is easier read whole)

from benchmarks.quality.task import Step, Task, one
from benchmarks.quality.tasks.frames import SALES

VISITS = """\
import pandas as pd
visits = pd.DataFrame({
    'when': ['03.01.2024 09:15', '03.01.2024 17:40', '14.01.2024 10:05', '29.02.2024 09:50', '01.03.2024 12:00'],
    'minutes': [30, 45, 20, 60, 15],
})"""
TRIP = "from datetime import date, datetime\nstart = date(2024, 2, 26)\nend = date(2024, 3, 8)"
DAILY = """\
import pandas as pd
daily = pd.DataFrame({'day': pd.date_range('2024-01-29', periods=14), 'steps': [4000, 5200, 6100, 3000, 8000, 12000, 9500, 4100, 5000, 6600, 3500, 7700, 11000, 10200]})"""
D = "d = pd.to_datetime(sales['Order Date'])\n"

TASKS = [
    one("dates-01", "dates", TRIP, "how many days are between start and end?", "(end - start).days"),
    one("dates-02", "dates", TRIP, "what weekday is end? the English name", "end.strftime('%A')"),
    one(
        "dates-03",
        "dates",
        TRIP,
        "list of all Mondays from start to end, as mondays",
        "from datetime import timedelta\nmondays = [start + timedelta(d) for d in range((end - start).days + 1) if (start + timedelta(d)).weekday() == 0]",
        into="mondays",
    ),
    one(
        "dates-04",
        "dates",
        VISITS,
        "convert the column when of visits to real datetimes (day first)",
        "visits['when'] = pd.to_datetime(visits['when'], format='%d.%m.%Y %H:%M')",
        into="visits['when'] + pd.Timedelta(0)",
        changes=("visits",),
    ),
    one(
        "dates-05",
        "dates",
        SALES,
        "units per month",
        D + "sales.groupby(d.dt.to_period('M'))['units'].sum()",
        also=(D + "sales.groupby(d.dt.month)['units'].sum()", D + "sales.groupby(d.dt.month_name())['units'].sum()"),
    ),
    one("dates-06", "dates", SALES, "orders from February 2024", D + "sales[d.dt.month == 2]"),
    one(
        "dates-07",
        "dates",
        DAILY,
        "which day had the most steps?",
        "daily.loc[daily.steps.idxmax(), 'day']",
        also=("daily.loc[[daily.steps.idxmax()]]", "daily.loc[daily.steps.idxmax()]"),
    ),
    Task(
        "dates-08",
        "dates",
        DAILY,
        (
            Step(
                "average steps per weekday",
                "daily.groupby(daily.day.dt.day_name())['steps'].mean()",
                also=("daily.groupby(daily.day.dt.dayofweek)['steps'].mean()",),
            ),
            Step("only for the weekend, one number", "daily[daily.day.dt.dayofweek >= 5]['steps'].mean()"),
        ),
    ),
    Task(
        "dates-09",
        "dates",
        SALES,
        (
            Step(
                "make Order Date in sales a datetime column",
                "sales['Order Date'] = pd.to_datetime(sales['Order Date'])",
                into="sales['Order Date'] + pd.Timedelta(0)",
                changes=("sales",),
            ),
            Step(
                "first and last order date",
                "sales['Order Date'].agg(['min', 'max'])",
                also=("(sales['Order Date'].min(), sales['Order Date'].max())",),
            ),
            Step("how many days lie between them?", "(sales['Order Date'].max() - sales['Order Date'].min()).days"),
        ),
    ),
    Task(
        "dates-10",
        "dates",
        DAILY,
        (
            Step(
                "total steps per month",
                "daily.groupby(daily.day.dt.to_period('M'))['steps'].sum()",
                also=(
                    "daily.groupby(daily.day.dt.month)['steps'].sum()",
                    "daily.groupby(daily.day.dt.month_name())['steps'].sum()",
                ),
            ),
            Step(
                "now the mean",
                "daily.groupby(daily.day.dt.to_period('M'))['steps'].mean()",
                also=(
                    "daily.groupby(daily.day.dt.month)['steps'].mean()",
                    "daily.groupby(daily.day.dt.month_name())['steps'].mean()",
                ),
            ),
        ),
    ),
    Task(
        "dates-11",
        "dates",
        TRIP,
        (
            Step("the date 45 days after start", "from datetime import timedelta\nstart + timedelta(days=45)"),
            Step("and 45 days before", "from datetime import timedelta\nstart - timedelta(days=45)"),
        ),
    ),
    Task(
        "dates-12",
        "dates",
        "from datetime import date\nbirthdays = {'Ann': date(1990, 5, 17), 'Bo': date(2001, 11, 3), 'Cy': date(1985, 2, 28)}",
        (
            Step("how old was each on 2024-06-01, in full years?", "{'Ann': 34, 'Bo': 22, 'Cy': 39}"),
            Step("who is the youngest?", "'Bo'"),
        ),
    ),
]
