"""Plain Python."""

from benchmarks.quality.task import Step, Task, one

CLUBS = """\
club_of = {"Ada": "chess", "Bo": "choir", "Cem": "chess", "Dina": "robotics", "Eli": "choir", "Fay": "chess"}
"""
OVEN = """\
temps_c = [160, 175, 180, 200, 220, 250]
"""
WARDS = """\
rooms = [["Ng", "Ortiz"], ["Petrov"], [], ["Ng", "Quinn", "Rossi"], ["Ortiz"]]
"""
BASKET = """\
basket = [
    {"item": "oats", "qty": 2, "price": 1.89, "organic": True},
    {"item": "milk", "qty": 4, "price": 1.15, "organic": False},
    {"item": "apples", "qty": 1, "price": 3.49, "organic": True},
    {"item": "rice", "qty": 1, "price": 2.29, "organic": False},
    {"item": "honey", "qty": 1, "price": 5.75, "organic": True},
]
"""
HIKES = """\
hikes = {"Mon": "2h 15m", "Wed": "45m", "Fri": "3h", "Sun": "1h 50m"}
"""
COURSES = """\
yoga = ["Ruth", "Ivo", "Hana", "Piet", "Lena"]
pilates = ["Hana", "Omar", "Ruth"]
waitlist = ["Zoe", "Ivo"]
"""

TASKS = [
    one(
        "other-python-01",
        "python",
        CLUBS,
        "turn club_of around: a dict members with the list of kids for every club",
        "members = {}\nfor kid, club in club_of.items():\n    members.setdefault(club, []).append(kid)",
        into="{club: sorted(kids) for club, kids in members.items()}",
    ),
    Task(
        "other-python-02",
        "python",
        OVEN,
        (
            Step(
                "write me a function to_f(c) for celsius to fahrenheit",
                "def to_f(c):\n    return c * 9 / 5 + 32",
                into="[to_f(0), to_f(100), to_f(-40), to_f(36.6)]",
                ordered=True,
            ),
            Step(
                "use it for all of temps_c",
                "[to_f(c) for c in temps_c]",
                also=("{c: to_f(c) for c in temps_c}",),
                ordered=True,
            ),
        ),
    ),
    one(
        "other-python-03",
        "python",
        WARDS,
        "one flat list of everybody in rooms without doubles, keep the order in which they first appear. -> people",
        "people = list(dict.fromkeys(name for room in rooms for name in room))",
        into="people",
        ordered=True,
    ),
    one(
        "other-python-04",
        "python",
        BASKET,
        "What do the organic things in the basket cost altogether? (qty times price)",
        "sum(b['qty'] * b['price'] for b in basket if b['organic'])",
    ),
    one(
        "other-python-05",
        "python",
        HIKES,
        "how many minutes was each hike? the times are written like 2h 15m",
        "import re\n"
        "{d: sum(int(n) * {'h': 60, 'm': 1}[u] for n, u in re.findall(r'(\\d+)([hm])', t)) for d, t in hikes.items()}",
        also=(
            "import re\n"
            "[sum(int(n) * {'h': 60, 'm': 1}[u] for n, u in re.findall(r'(\\d+)([hm])', t)) for t in hikes.values()]",
        ),
    ),
    one(
        "other-python-06",
        "python",
        COURSES,
        "who does yoga but not pilates? alphabetically please",
        "sorted(set(yoga) - set(pilates))",
        ordered=True,
    ),
]
