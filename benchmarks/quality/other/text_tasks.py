"""Strings."""

from benchmarks.quality.task import Step, Task, one

COMMENTS = """\
comments = [
    "Slow service but the soup was great",
    "Lovely terrace, friendly staff.",
    "Waited 40 minutes. So slow!!",
    "Great soup, great bread",
    "Slowly getting better, prices went up though",
    "too loud for us",
    "The waiter was SLOW and the coffee cold",
]
"""
MAIL = '''\
note = """Dear all, please send the forms to office@greenhill-school.org (not to the old office@ghs.example!).
Questions about the trip: Ms. Tanaka, y.tanaka@greenhill-school.org, or call 0171 5550 192.
Parents' council: parents+council@mail.example.net"""
'''
RHYME = '''\
rhyme = """The wheel on the hill goes round, goes round, the wheel on the hill goes round;
and the miller said: "The wind, the wind and the hill, they grind the ground"."""
'''
PHONES = """\
phones = ["+44 (0)20 7946 0018", "0171-5550-192", "555.010.7788", "(030) 90 18 20"]
"""
SERVER = '''\
log_text = """\\
09:01:12 INFO  backup started
09:01:15 WARN  disk 81% full
09:02:40 INFO  copied 120 files
09:02:41 ERROR cannot read /data/x17
09:02:41 ERROR cannot read /data/x18
09:03:05 INFO  retrying
09:03:09 WARN  slow network
09:04:00 INFO  backup finished
"""
'''
CODES = """\
import pandas as pd

samples = pd.DataFrame({"code": ["NK-417-a", "NK-388-b", "OS-102-a", "TR-955-c", "OS-230-b"],
                        "pH": [6.8, 7.1, 5.9, 7.4, 6.2]})
"""
WORDS = "import re\nfrom collections import Counter\nwords = re.findall(r'[a-z]+', rhyme.lower())\n"

TASKS = [
    Task(
        "other-text-01",
        "text",
        COMMENTS,
        (
            Step(
                "how many comments contain 'great', upper or lower case?",
                "sum('great' in c.lower() for c in comments)",
            ),
            Step(
                "and list the ones with the word slow in them (slowly doesn't count, capitals don't matter)",
                "import re\n[c for c in comments if re.search(r'\\bslow\\b', c, re.I)]",
            ),
        ),
    ),
    one(
        "other-text-02",
        "text",
        MAIL,
        "pull all e-mail addresses out of note into a list called addresses",
        "import re\naddresses = re.findall(r'[\\w.+-]+@[\\w-]+(?:\\.[\\w-]+)+', note)",
        into="addresses",
    ),
    Task(
        "other-text-03",
        "text",
        RHYME,
        (
            Step(
                "How often does each word occur in rhyme? ignore case and punctuation",
                f"{WORDS}Counter(words)",
            ),
            Step(
                "only words with 5 letters or more, please",
                f"{WORDS}Counter(w for w in words if len(w) >= 5)",
            ),
        ),
    ),
    one(
        "other-text-04",
        "text",
        PHONES,
        "strip everything that is not a digit from the phone numbers, as a new list digits",
        "digits = [''.join(c for c in p if c.isdigit()) for p in phones]",
        into="digits",
        ordered=True,
    ),
    one(
        "other-text-05",
        "text",
        SERVER,
        "count the lines in log_text by level (INFO, WARN, ERROR)",
        "from collections import Counter\nCounter(line.split()[1] for line in log_text.splitlines() if line.strip())",
    ),
    one(
        "other-text-06",
        "text",
        CODES,
        "codes look like site-number-plot. Split them up into new columns site, number and plot of samples",
        "samples[['site', 'number', 'plot']] = samples['code'].str.split('-', expand=True)",
        into="samples",
        changes=("samples",),
        also=(
            "samples[['site', 'number', 'plot']] = samples['code'].str.split('-', expand=True)\n"
            "samples.assign(number=samples['number'].astype(int))",
        ),
    ),
]
