"""Tables."""

from benchmarks.quality.other.data import BUS, EXPENSES, FILMS, GAMES, LAB, LOANS, PLANTS, SENSORS, WEATHER
from benchmarks.quality.task import Step, Task, one

LATE = "(bus['delay_min'] > 5).groupby(bus['line']).mean()"
REPLICATES = """\
import pandas as pd

m = pd.DataFrame({"Sample": ["S1"] * 7 + ["S2"] * 7, "run": list(range(1, 8)) * 2,
                  "Absorbance": [.52, .50, .51, .53, .49, .51, .90, 1.20, 1.22, 1.19, 1.21, 1.18, .60, 1.23]})
m2 = pd.DataFrame({"Sample": ["S3"] * 7 + ["S4"] * 7, "run": list(range(1, 8)) * 2,
                   "Absorbance": [.33, .31, .02, .32, .34, .33, .32, .77, .75, .76, .78, .74, .77, 1.31]})
"""
SUSPICIOUS = """\
g = {0}.groupby("Sample")["Absorbance"]
{0}[({0}["Absorbance"] - g.transform("mean")).abs() > 2 * g.transform("std")]
"""

TASKS = [
    Task(
        "other-pandas-01",
        "pandas",
        WEATHER,
        (
            Step("mean temp for each station pls", "wx.groupby('Station')['Temp [°C]'].mean()"),
            Step("no, the median", "wx.groupby('Station')['Temp [°C]'].median()"),
            Step(
                "the median again, but only for days when that station had some rain",
                "wx[wx['Rain (mm)'] > 0].groupby('Station')['Temp [°C]'].median()",
            ),
        ),
    ),
    one(
        "other-pandas-02",
        "pandas",
        WEATHER,
        "Which was the warmest reading of all? I'd like to see that whole row",
        "wx.loc[[wx['Temp [°C]'].idxmax()]]",
    ),
    one(
        "other-pandas-03",
        "pandas",
        LOANS,
        "how many books haven't been brought back yet",
        "loans['returned'].isna().sum()",
    ),
    Task(
        "other-pandas-04",
        "pandas",
        LOANS,
        (
            Step(
                "count the loans per branch, busiest branch on top",
                "loans['Branch'].value_counts()",
                ordered=True,
            ),
            Step(
                "as percentages of all loans",
                "loans['Branch'].value_counts(normalize=True) * 100",
                also=(
                    "loans['Branch'].value_counts(normalize=True)",
                    "(loans['Branch'].value_counts(normalize=True) * 100).round(1)",
                    "(loans['Branch'].value_counts(normalize=True) * 100).round(2)",
                ),
            ),
        ),
    ),
    Task(
        "other-pandas-05",
        "pandas",
        EXPENSES,
        (
            Step("What did each of us spend altogether?", "exp.groupby('Who')['Amount (EUR)'].sum()"),
            Step(
                "And per category, no matter who paid?",
                "exp.groupby('Category')['Amount (EUR)'].sum()",
            ),
            Step(
                "Can you put both in one table: a row for each person, a column for each category, "
                "0 where someone spent nothing",
                "exp.pivot_table(index='Who', columns='Category', values='Amount (EUR)', aggfunc='sum', fill_value=0)",
            ),
        ),
    ),
    one(
        "other-pandas-06",
        "pandas",
        EXPENSES,
        "add a column running_total to exp: what we had spent so far, going by date (careful, rows aren't sorted)",
        "exp['running_total'] = exp.sort_values('Date')['Amount (EUR)'].cumsum()",
        into="exp",
        changes=("exp",),
    ),
    Task(
        "other-pandas-07",
        "pandas",
        LAB,
        (
            Step(
                "The Conc (mg/L) column in lab came in as text because of entries like <0.05. "
                "Turn it into numbers in place, with NaN for those",
                "lab['Conc (mg/L)'] = pd.to_numeric(lab['Conc (mg/L)'], errors='coerce')",
                into="lab",
                changes=("lab",),
            ),
            Step("mean concentration per sample now", "lab.groupby('sample')['Conc (mg/L)'].mean()"),
        ),
    ),
    Task(
        "other-pandas-08",
        "pandas",
        GAMES,
        (
            Step("which team scored the most goals at home?", "games.groupby('Home')['HG'].sum().idxmax()"),
            Step("and away?", "games.groupby('Away')['AG'].sum().idxmax()"),
        ),
    ),
    one(
        "other-pandas-09",
        "pandas",
        GAMES,
        "give games a new column outcome with H for a home win, A for an away win and D for a draw",
        "games['outcome'] = ['H' if h > a else 'A' if a > h else 'D' for h, a in zip(games['HG'], games['AG'])]",
        into="games",
        changes=("games",),
    ),
    one(
        "other-pandas-10",
        "pandas",
        BUS,
        "for every line: what percent of the rows were more than 5 min late",
        f"{LATE} * 100",
        also=(LATE, f"({LATE} * 100).round(1)", f"({LATE} * 100).round(2)", f"({LATE} * 100).round()"),
    ),
    Task(
        "other-pandas-11",
        "pandas",
        BUS,
        (
            Step("Which line has the worst average delay?", "bus.groupby('line')['delay_min'].mean().idxmax()"),
            Step(
                "on that line, average delay at each stop",
                "worst = bus.groupby('line')['delay_min'].mean().idxmax()\n"
                "bus[bus['line'] == worst].groupby('stop')['delay_min'].mean()",
            ),
        ),
    ),
    one(
        "other-pandas-12",
        "pandas",
        PLANTS,
        "I need plants in long form, one row for each plant and week, columns plant, Treatment, week, height. "
        "Store it as long",
        "long = plants.melt(id_vars=['plant', 'Treatment'], var_name='week', value_name='height')",
        into="long",
        also=(
            "x = plants.melt(id_vars=['plant', 'Treatment'], var_name='week', value_name='height')\n"
            "x.assign(week=x['week'].str[2:].astype(int))",
            "plants.melt(id_vars=['plant', 'Treatment'], var_name='week', value_name='height').dropna()",
        ),
    ),
    one(
        "other-pandas-13",
        "pandas",
        PLANTS,
        "average growth from wk1 to wk3 in each treatment group, leave out the plant we lost",
        "(plants['wk3'] - plants['wk1']).groupby(plants['Treatment']).mean()",
    ),
    one(
        "other-pandas-14",
        "pandas",
        FILMS,
        "average stars per film, with the titles, best film first. films nobody rated can be left out",
        "films.merge(ratings, on='film_id').groupby('Title')['stars'].mean().sort_values(ascending=False)",
        ordered=True,
        also=(
            "films.merge(ratings, on='film_id').groupby(['film_id', 'Title'])['stars'].mean()"
            ".sort_values(ascending=False)",
        ),
    ),
    one(
        "other-pandas-15",
        "pandas",
        FILMS,
        "the genres column holds several genres separated by | ... how many films are there of each genre?",
        "films['genres'].str.split('|').explode().value_counts()",
    ),
    one(
        "other-pandas-16",
        "pandas",
        FILMS,
        "Is there any film without a single rating? Which?",
        "films.loc[~films['film_id'].isin(ratings['film_id']), 'Title'].tolist()",
        also=(
            "films[~films['film_id'].isin(ratings['film_id'])]",
            "films.loc[~films['film_id'].isin(ratings['film_id']), ['film_id', 'Title']]",
            "films.loc[~films['film_id'].isin(ratings['film_id']), 'Title'].item()",
        ),
    ),
    Task(
        "other-pandas-17",
        "pandas",
        SENSORS,
        (
            Step(
                "turn log into a wide table: one row per ts, one column per sensor. call it wide",
                "wide = log.pivot(index='ts', columns='sensor', values='value')",
                into="wide",
            ),
            Step(
                "fill the holes in wide with the last value before them",
                "wide = wide.ffill()",
                into="wide",
            ),
            Step("correlation of s1 and s2 in there", "wide['s1'].corr(wide['s2'])", also=("wide.corr()",)),
        ),
    ),
    Task(
        "other-pandas-18",
        "pandas",
        REPLICATES,
        (
            Step(
                "show me suspicious runs: rows of m where Absorbance is more than 2 standard deviations away from the "
                "mean of the same sample",
                SUSPICIOUS.format("m"),
            ),
            Step("the same for m2", SUSPICIOUS.format("m2")),
        ),
    ),
]
