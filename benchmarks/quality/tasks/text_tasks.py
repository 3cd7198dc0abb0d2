"""Strings."""

# ruff: noqa: E501  (a line of code within a task is easier read whole)

from benchmarks.quality.task import Step, Task, one

POEM = 'text = """The cat sat on the mat. The dog saw the cat!\\nA bird sang; the dog barked at the bird."""'
MAILS = "raw = 'Contact: anna.b@mail.org, or bob@example.com; old: c_d@site.net (broken: foo@)'"
LINES = "log = ['2024-03-01 ERROR disk full', '2024-03-01 INFO started', '2024-03-02 WARN slow', '2024-03-02 ERROR timeout', '2024-03-03 INFO stopped']"
PEOPLE = "people = ['  Smith, John', 'DOE, jane ', 'Van Dyk, Piet']"

TASKS = [
    one("text-01", "text", POEM, "how many words are in text?", "len(text.split())"),
    one(
        "text-02",
        "text",
        POEM,
        "how many times does 'the' occur in text, upper or lower case, whole word only?",
        "import re\nlen(re.findall(r'\\bthe\\b', text.lower()))",
    ),
    one(
        "text-03",
        "text",
        POEM,
        "list of all words in text with more than 3 letters, lower case, without punctuation, as long_words",
        "import re\nlong_words = [w for w in re.findall(r'[a-z]+', text.lower()) if len(w) > 3]",
        into="long_words",
        also=("import re\nsorted({w for w in re.findall(r'[a-z]+', text.lower()) if len(w) > 3})",),
    ),
    one(
        "text-04",
        "text",
        MAILS,
        "extract the valid email addresses from raw",
        "import re\nre.findall(r'[\\w.]+@\\w+\\.\\w+', raw)",
    ),
    one(
        "text-05",
        "text",
        LINES,
        "count the log lines per level",
        "from collections import Counter\nCounter(x.split()[1] for x in log)",
    ),
    one(
        "text-06",
        "text",
        LINES,
        "only the messages of the ERROR lines (without date and level)",
        "[x.split(' ', 2)[2] for x in log if 'ERROR' in x]",
    ),
    one(
        "text-07",
        "text",
        PEOPLE,
        "turn people into 'First Last' with normal capital letters, call it clean",
        "clean = ['John Smith', 'Jane Doe', 'Piet Van Dyk']",
        into="clean",
    ),
    one(
        "text-08",
        "text",
        "word = 'Never odd or even'",
        "is word a palindrome if you ignore spaces and case?",
        "s = word.replace(' ', '').lower()\ns == s[::-1]",
    ),
    one("text-09", "text", "word = 'international'", "count the vowels in word", "sum(c in 'aeiou' for c in word)"),
    one(
        "text-10",
        "text",
        "sentence = 'to be or not to be that is the question'",
        "reverse the order of the words in sentence",
        "' '.join(sentence.split()[::-1])",
    ),
    one(
        "text-11",
        "text",
        "names = ['first name', 'Last-Name', 'date of birth']",
        "make snake_case from each of names",
        "['first_name', 'last_name', 'date_of_birth']",
        ordered=True,
        changes=("names",),
    ),
    Task(
        "text-12",
        "text",
        LINES,
        (
            Step(
                "make a DataFrame logs from log with the columns date, level and message",
                "import pandas as pd\nlogs = pd.DataFrame([x.split(' ', 2) for x in log], columns=['date', 'level', 'message'])",
                into="logs",
            ),
            Step(
                "how many errors per day?",
                "logs[logs.level == 'ERROR'].groupby('date').size()",
                also=("logs.assign(e=logs.level == 'ERROR').groupby('date').e.sum()",),
            ),
        ),
    ),
    Task(
        "text-13",
        "text",
        POEM,
        (
            Step("the number of sentences in text", "3"),
            Step("and the number of lines?", "len(text.splitlines())"),
        ),
    ),
    Task(
        "text-14",
        "text",
        MAILS.replace(" (broken: foo@)", ""),
        (
            Step(
                "get all email addresses out of raw, as mails",
                "import re\nmails = re.findall(r'[\\w.]+@\\w+\\.\\w+', raw)",
                into="mails",
            ),
            Step("only the part after the @", "[m.split('@')[1] for m in mails]"),
        ),
    ),
    Task(
        "text-15",
        "text",
        "sentence = 'The quick brown fox jumps over the lazy dog'",
        (
            Step("the longest words in sentence, as a list", "['quick', 'brown', 'jumps']"),
            Step("the shortest ones", "['The', 'fox', 'the', 'dog']", also=("['the', 'fox', 'dog']",)),
        ),
    ),
]
