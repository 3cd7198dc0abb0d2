"""Questions that are answered in words, graded by the facts they must state."""

from benchmarks.quality.task import Step, Task, one
from benchmarks.quality.tasks.frames import PATIENTS, SALES, STUDENTS

NONE = "import pandas as pd"

TASKS = [
    one("words-01", "words", NONE, "what is the capital of Australia?", says=("Canberra",), answer="It is Canberra."),
    one(
        "words-02",
        "words",
        NONE,
        "which pandas method joins two tables on a common column?",
        says=(("merge", "join"),),
        answer="Use merge.",
    ),
    one(
        "words-03",
        "words",
        SALES,
        "what kind of data is in sales? answer in a sentence that names its columns",
        says=("Region", "Product", "units"),
        answer="Orders with Region, Product, units and Unit Price.",
    ),
    one(
        "words-04",
        "words",
        NONE,
        "explain in one sentence what the median is",
        says=(("middle", "half", "50th", "central"),),
        answer="The middle value of sorted data.",
    ),
    one(
        "words-05",
        "words",
        NONE,
        "what does the error IndexError: list index out of range mean?",
        says=(("index", "position"), ("length", "exist", "outside", "beyond", "out of", "range", "bounds")),
        answer="The index lies beyond the list's length.",
    ),
    one(
        "words-06",
        "words",
        NONE,
        "why should I set random_state in train_test_split?",
        says=(
            (
                "reproducible",
                "reproducibility",
                "same split",
                "same results",
                "same result",
                "repeatable",
                "consistent",
                "reproduce",
            ),
        ),
        answer="To make the split reproducible.",
    ),
    Task(
        "words-07",
        "words",
        STUDENTS,
        (
            Step("mean of math for each class", "students.groupby('class').math.mean()"),
            Step(
                "explain what groupby does, in words",
                says=(("group", "groups", "split", "splits"),),
                answer="It splits rows into groups.",
            ),
        ),
    ),
    Task(
        "words-08",
        "words",
        PATIENTS,
        (
            Step("how many patients are there?", says=(7.0,), answer="There are 7 patients."),
            Step(
                "and which columns contain missing values?",
                says=("age", "Weight (kg)"),
                never=("ward",),
                answer="age and Weight (kg)",
            ),
        ),
    ),
    Task(
        "words-09",
        "words",
        NONE,
        (
            Step("which is faster for a membership test, a list or a set?", says=("set",), answer="A set."),
            Step(
                "why?",
                says=(("hash", "hashing", "hashed", "hash-based", "hash table", "O(1)"),),
                answer="Sets use a hash table.",
            ),
        ),
    ),
]
