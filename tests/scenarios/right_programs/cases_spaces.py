"""What a case of the harm test is, and the small notebooks that the cases are asked in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Case:
    """Right code for a request. `setup` names the notebook, `answers` are earlier answers' code, which has been run.

    `doubts`: how those sentences begin that the data alone may say against the result.
    """

    request: str
    code: str
    setup: str
    answers: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


def office() -> dict[str, Any]:
    emp = pd.DataFrame(
        {
            "name": ["Ada", "Max", "Li", "Ines", "Omar", "Zoe", "Tom", "Kim"],
            "dept": ["Sales", "IT", "IT", "Sales", "HR", "IT", "HR", "Sales"],
            "city": ["Oslo", "Rome", "Oslo", "Lyon", "Rome", "Lyon", "Oslo", "Rome"],
            "salary": [5200, 6100, 4800, 5200, 3900, 7000, 4100, 5600],
            "age": [34, 45, 29, 51, 38, 41, 26, 33],
            "hired": pd.to_datetime(
                [
                    "2019-03-01",
                    "2015-07-15",
                    "2022-01-10",
                    "2008-11-03",
                    "2020-05-20",
                    "2012-09-01",
                    "2023-02-14",
                    "2018-06-30",
                ]
            ),
        }
    )
    depts = pd.DataFrame({"dept": ["Sales", "IT", "HR"], "head": ["Ines", "Zoe", "Omar"], "budget": [90, 120, 40]})
    return {"pd": pd, "np": np, "emp": emp, "depts": depts}


def lab() -> dict[str, Any]:
    models = pd.DataFrame(
        {
            "model": ["tree", "forest", "boost", "linear"],
            "rmse": [4.1, 2.7, 2.3, 3.8],
            "accuracy": [0.81, 0.90, 0.92, 0.85],
            "seconds": [1.5, 12.0, 30.5, 0.4],
        }
    )
    runs = pd.DataFrame(
        {
            "runner": ["Abel", "Bea", "Cato", "Dora", "Emil"],
            "club": ["North", "South", "North", "South", "North"],
            "time": [52.3, 49.8, 55.1, 50.2, 48.9],
            "place": [4, 2, 5, 3, 1],
        }
    )
    golf = pd.DataFrame(
        {
            "player": ["Ray", "Sue", "Ray", "Sue", "Uma", "Uma"],
            "round": [1, 1, 2, 2, 1, 2],
            "score": [71, 69, 74, 68, 72, 70],
        }
    )
    trials = pd.DataFrame(
        {
            "patient": ["p1", "p2", "p3", "p4", "p5", "p6"],
            "arm": ["drug", "null", "drug", "null", "drug", "null"],
            "before": [140.0, 138.0, 151.0, 149.0, 160.0, 142.0],
            "after": [128.0, 137.0, 139.0, 150.0, 144.0, 140.0],
        }
    )
    return {"pd": pd, "np": np, "models": models, "runs": runs, "golf": golf, "trials": trials}


def shop() -> dict[str, Any]:
    orders = pd.DataFrame(
        {
            "id": [101, 102, 103, 104, 105, 106],
            "user": ["ann", "bob", "ann", "cy", "bob", "ann"],
            "product": ["apple pie", "tea", "tea", "lemon pie", "apple pie", "mug"],
            "qty": [1, 3, 2, 1, 2, 1],
            "price": [12.0, 3.5, 3.5, 11.0, 12.0, 8.0],
            "date": pd.to_datetime(
                ["2025-01-03", "2025-01-05", "2025-01-09", "2025-02-01", "2025-02-11", "2025-02-20"]
            ),
            "status": ["sent", "sent", "null", "open", "sent", "open"],
        }
    )
    visits = pd.DataFrame(
        {
            "user": ["ann", "bob", "ann", "cy", "bob"],
            "page": ["home", "cart", "cart", "home", "help"],
            "latency_ms": [120, 340, 310, 95, 80],
            "at": pd.to_datetime(
                ["2025-03-01 10:00", "2025-03-01 10:05", "2025-03-02 09:00"] + ["2025-03-02 12:30"] * 2
            ),
        }
    )
    plots = pd.DataFrame(
        {"owner": ["Ivy", "Jon", "Ken"], "area": [800, 1200, 950], "side": ["north", "south", "north"]}
    )
    films = pd.DataFrame(
        {"title": ["Dawn", "Rust", "Echo"], "box_office": [310.5, 42.0, 128.7], "year": [2019, 2021, 2021]}
    )
    return {"pd": pd, "np": np, "orders": orders, "visits": visits, "plots": plots, "films": films}


def lists() -> dict[str, Any]:
    return {
        "pd": pd,
        "np": np,
        "nums": [3, 8, 1, 9, 4, 7],
        "words": ["pear", "Fig", "apple", "kiwi", "banana"],
        "names": ["Dr Max Roth", "Mia Sun", "Dr Lena Ott", "Bo Li"],
        "temps": [12, 14, 15, 13, 16, 18, 20],
        "days": ["2025-03-01", "2025-01-15", "2024-12-24"],
        "pairs": [("b", 2), ("a", 3), ("c", 1)],
        "rows": [[1, 2, 3], [4, 5, 6]],
    }


def dicts() -> dict[str, Any]:
    return {
        "pd": pd,
        "np": np,
        "prices": {"apple": 1.2, "pear": 0.9, "plum": 2.5, "kiwi": 0.7},
        "stock": {"apple": 10, "pear": 0, "plum": 4, "kiwi": 25},
        "ages": {"Ann": 31, "Bob": 28, "Cy": 45},
        "people": [
            {"name": "Ann", "age": 31, "team": "red"},
            {"name": "Bob", "age": 28, "team": "blue"},
            {"name": "Cy", "age": 45, "team": "red"},
        ],
        "config": {"db": {"host": "local", "port": 5432}, "debug": False},
    }


def arrays() -> dict[str, Any]:
    return {
        "pd": pd,
        "np": np,
        "grid": np.array([[4, 1, 3, 9], [2, 8, 6, 5], [7, 0, 11, 10]]),
        "signal": np.array([0.1, 0.9, -0.4, 1.7, 0.3, -1.2]),
        "heights": np.array([1.61, 1.82, 1.75, 1.69]),
        "a": np.array([1.0, 2.0, 3.0]),
        "b": np.array([4.0, 0.0, -1.0]),
    }


def texts() -> dict[str, Any]:
    return {
        "pd": pd,
        "np": np,
        "text": "The quick brown fox. The lazy dog sleeps! Does the fox care?",
        "log": "2025-01-03 ERROR disk full\n2025-01-03 INFO started\n2025-01-04 ERROR no route\n",
        "emails": ["ann@mail.org", "bob@uni.edu", "cy@mail.org"],
        "csv_text": "item,amount\npen,3\nink,5\n",
        "dna": "ACGTTGCAAC",
        "title": "the old man and the sea",
    }


def world() -> dict[str, Any]:
    ventas = pd.DataFrame(
        {"mes": ["enero", "enero", "mayo", "mayo"], "zona": ["norte", "sur"] * 2, "importe": [5, 7, 9, 4]}
    )
    notes = pd.DataFrame({"élève": ["Léa", "Hugo", "Inès"], "matière": ["maths", "art", "maths"], "note": [14, 9, 17]})
    waren = pd.DataFrame({"Name": ["Apfel", "Brot", "Käse"], "Preis": [0.5, 2.2, 4.8], "Menge": [40, 12, 7]})
    学生 = pd.DataFrame({"姓名": ["小明", "小红", "小刚"], "城市": ["北京", "上海", "北京"], "分数": [88, 95, 72]})
    bikri = pd.DataFrame({"दुकान": ["अ", "ब", "अ"], "शहर": ["दिल्ली", "पुणे", "पुणे"], "राशि": [250, 400, 150]})
    pedidos = pd.DataFrame({"cliente": ["Ana", "Rui", "Ana"], "valor": [30.0, 12.5, 20.0], "pago": [True, False, True]})
    料金 = {"朝食": 500, "昼食": 900, "夕食": 1500}
    цены = {"хлеб": 45, "сыр": 320, "чай": 150}
    marks = {"سارة": 91, "علي": 78, "منى": 85}
    khanom = ["ทุเรียน", "มะม่วง", "ส้ม"]
    return {
        "pd": pd, "np": np, "ventas": ventas, "notes": notes, "waren": waren, "学生": 学生, "bikri": bikri,
        "pedidos": pedidos, "料金": 料金, "цены": цены, "marks": marks, "khanom": khanom,
    }  # fmt: skip


SPACES: dict[str, Callable[[], dict[str, Any]]] = {
    space.__name__: space for space in (office, lab, shop, lists, dicts, arrays, texts, world)
}
