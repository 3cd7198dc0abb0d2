"""The notebooks that tasks start from."""

WEATHER = """\
import numpy as np
import pandas as pd

# three stations, 60 days of spring
rng = np.random.default_rng(11)
days = pd.date_range("2023-03-01", periods=60, freq="D")
wx = pd.concat(
    [
        pd.DataFrame(
            {
                "Station": name,
                "Date": days,
                "Temp [°C]": (base + 6 * np.sin(np.arange(60) / 9) + rng.normal(0, 2.5, 60)).round(1),
                "Rain (mm)": np.where(rng.random(60) < 0.35, rng.gamma(2, 3, 60).round(1), 0.0),
                "wind_kmh": rng.integers(3, 48, 60),
            }
        )
        for name, base in [("Harbour", 8.0), ("Airport", 6.5), ("Summit", -1.0)]
    ],
    ignore_index=True,
)
wx.loc[[4, 71, 72, 130, 155], "Temp [°C]"] = np.nan
"""

LOANS = """\
from io import StringIO

import pandas as pd

loans = pd.read_csv(
    StringIO('''Loan ID,title,Borrower,Branch,loaned,returned
5001,Dune,Amara,Central,2024-01-08,2024-01-25
5002,Emma,Jonas,West,2024-01-09,2024-02-14
5003,Beloved,Priya,Central,2024-01-15,2024-01-30
5004,Dune,Lukas,Riverside,2024-01-22,
5005,Ulysses,Amara,Central,2024-02-01,2024-03-20
5006,Persuasion,Mei,West,2024-02-02,2024-02-20
5007,Emma,Priya,Central,2024-02-10,2024-02-28
5008,Middlemarch,Jonas,West,2024-02-16,
5009,Dune,Mei,West,2024-02-26,2024-03-11
5010,Walden,Sofia,Riverside,2024-03-01,2024-03-12
5011,Beloved,Lukas,Central,2024-03-04,2024-04-15
5012,Hamlet,Amara,Central,2024-03-05,2024-03-19
5013,Emma,Sofia,Riverside,2024-03-18,
5014,Walden,Amara,Central,2024-03-25,
'''),
    parse_dates=["loaned", "returned"],
)
"""

EXPENSES = """\
import pandas as pd

rows = [
    ("2024-05-11", "Nora", "food", 42.80),
    ("2024-05-02", "Ben", "rent", 780.00),
    ("2024-05-06", "Nora", "transport", 29.00),
    ("2024-05-19", "Ben", "food", 61.35),
    ("2024-05-03", "Nora", "food", 18.20),
    ("2024-05-27", "Ines", "fun", 35.00),
    ("2024-05-14", "Ben", "fun", 12.50),
    ("2024-05-21", "Ines", "food", 54.10),
    ("2024-05-08", "Ines", "transport", 8.40),
    ("2024-05-30", "Nora", "food", 23.95),
    ("2024-05-25", "Ben", "transport", 49.00),
]
exp = pd.DataFrame(rows, columns=["Date", "Who", "Category", "Amount (EUR)"])
exp["Date"] = pd.to_datetime(exp["Date"])
"""

GAMES = """\
import pandas as pd

games = pd.DataFrame(
    {
        "Home": ["Lions", "Sharks", "Bears", "Hawks", "Lions", "Bears", "Sharks", "Hawks", "Bears", "Lions"],
        "Away": ["Sharks", "Bears", "Hawks", "Lions", "Bears", "Lions", "Hawks", "Sharks", "Sharks", "Hawks"],
        "HG": [3, 1, 2, 0, 2, 1, 4, 2, 0, 5],
        "AG": [1, 1, 0, 0, 3, 2, 1, 2, 3, 1],
        "Attendance": [5210, 3890, 4105, 2980, 5525, 3700, 4410, 3015, 3320, 6000],
    }
)
"""

LAB = """\
import io
import pandas as pd

raw = '''sample;replicate;Conc (mg/L);operator
A;1;0.41;KL
A;2;0.38;KL
A;3;<0.05;MT
B;1;1.92;MT
B;2;2.04;KL
B;3;1.98;KL
C;1;<0.05;MT
C;2;0.11;MT
C;3;0.09;KL
D;1;5.60;KL
D;2;5.25;MT
'''
lab = pd.read_csv(io.StringIO(raw), sep=";")
"""

BUS = """\
import numpy as np
import pandas as pd

r = np.random.default_rng(5)
bus = pd.DataFrame(
    {
        "line": r.choice(["12", "12X", "N4", "60"], 150),
        "stop": r.choice(["Market Sq", "Station", "Hospital", "Zoo"], 150),
        "delay_min": r.gamma(1.6, 2.4, 150).round(1),
        "passengers": r.integers(0, 60, 150),
    }
)
"""

PLANTS = """\
import numpy as np
import pandas as pd

plants = pd.DataFrame(
    {
        "plant": ["p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8"],
        "Treatment": ["control", "compost", "compost", "control", "nitrate", "nitrate", "compost", "control"],
        "wk1": [4.1, 3.9, 4.4, 4.0, 4.2, 3.8, 4.0, 4.3],
        "wk2": [5.6, 6.2, 6.9, 5.5, 6.6, 6.0, 6.1, 5.9],
        "wk3": [7.0, 8.8, 9.5, np.nan, 9.9, 9.1, 8.7, 7.4],
    }
)
"""

FILMS = """\
import pandas as pd

films = pd.DataFrame(
    {
        "film_id": [1, 2, 3, 4, 5, 6],
        "Title": ["Night Ferry", "Glass Orchard", "The Ninth Tide", "Paper Kings", "Low Sun", "Aunt Vera"],
        "genres": ["Drama|Crime", "Drama", "Adventure|Drama", "Comedy|Crime", "Western", "Comedy"],
        "Year": [2011, 2018, 2018, 2020, 1999, 2023],
    }
)
ratings = pd.DataFrame(
    {
        "film_id": [1, 1, 2, 2, 2, 3, 4, 4, 6, 6, 6],
        "user": ["zed", "ola", "zed", "kim", "ola", "kim", "zed", "kim", "ola", "zed", "kim"],
        "stars": [4, 3, 5, 4, 5, 2, 3, 5, 1, 2, 2],
    }
)
"""

SENSORS = """\
import pandas as pd

log = pd.DataFrame(
    [
        ("2024-06-01 08:00", "s1", 20.1),
        ("2024-06-01 08:00", "s2", 51.0),
        ("2024-06-01 08:10", "s1", 20.4),
        ("2024-06-01 08:20", "s1", 20.9),
        ("2024-06-01 08:20", "s2", 49.5),
        ("2024-06-01 08:30", "s2", 48.2),
        ("2024-06-01 08:40", "s1", 21.7),
        ("2024-06-01 08:40", "s2", 47.9),
        ("2024-06-01 08:50", "s1", 21.5),
        ("2024-06-01 08:50", "s2", 48.8),
    ],
    columns=["ts", "sensor", "value"],
)
log["ts"] = pd.to_datetime(log["ts"])
"""
