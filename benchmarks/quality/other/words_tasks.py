"""Questions that want an answer in prose."""

from benchmarks.quality.other.data import LAB, LOANS, WEATHER
from benchmarks.quality.task import one

TASKS = [
    one(
        "other-words-01",
        "words",
        LOANS,
        "in a sentence or two, what is in loans? mention how many rows it has and which branches",
        says=(14.0, "Central", "West", "Riverside"),
        answer="loans holds 14 library loans from the branches Central, West and Riverside.",
    ),
    one(
        "other-words-02",
        "words",
        WEATHER,
        "why do I get a KeyError for wx['Temp']? just explain, don't run anything",
        says=("Temp [°C]",),
        answer="There is no column Temp: it is called 'Temp [°C]', with the unit in its name.",
    ),
    one(
        "other-words-03",
        "words",
        LAB,
        "Which option of pd.to_numeric turns things like '<0.05' into NaN instead of an error? Explain in words",
        says=("errors", "coerce"),
        answer="Set errors='coerce': what cannot be read as a number becomes NaN.",
    ),
]
