"""Changes in place, functions, classes, regexes, texts, dates, arrays, plots and small models."""

from __future__ import annotations

from tests.scenarios.right_programs.cases_spaces import Case

PLT = "import matplotlib.pyplot as plt\n"

CASES = (
    # Sorting with a key.
    Case("shortest word at the front", "sorted(words, key=len)", "lists"),
    Case("words by their last letter", "sorted(words, key=lambda w: w[-1])", "lists"),
    Case("sort the pairs on the number, lowest wins", "sorted(pairs, key=lambda p: p[1])", "lists"),
    Case("people from youngest up", "sorted(people, key=lambda p: p['age'])", "dicts"),
    Case("who is oldest in the list of people?", "max(people, key=lambda p: p['age'])['name']", "dicts"),
    Case("which fruit is cheapest", "min(prices, key=prices.get)", "dicts"),
    Case("What do we have the most of?", "max(stock.items(), key=lambda item: item[1])[0]", "dicts"),
    # Changed in place, as asked.
    Case("sort nums for good", "nums.sort()\nnums", "lists"),
    Case("throw the pear out of prices", "del prices['pear']\nprices", "dicts"),
    Case("upper-case every word in place", "words[:] = [w.upper() for w in words]\nwords", "lists"),
    Case("append a 5", "nums.append(5)\nnums", "lists"),
    Case("rename salary to pay in emp", "emp = emp.rename(columns={'salary': 'pay'})\nemp.head()", "office"),
    Case("Make the order ids start with ORD-", "orders['id'] = 'ORD-' + orders['id'].astype(str)\norders", "shop"),
    Case("set the negative signal values to zero", "signal[signal < 0] = 0\nsignal", "arrays"),
    Case("turn debug on", "config['debug'] = True\nconfig", "dicts"),
    Case("forget the trials", "del trials", "lab", (), ("it shows nothing",)),
    Case("merge head and budget into emp", "emp = emp.merge(depts, on='dept')\nemp", "office"),
    # Functions and classes.
    Case(
        "a function that returns the top n earners",
        "def top_earners(table, n):\n    return table.nlargest(n, 'salary')\n\ntop_earners(emp, 2)",
        "office",
    ),
    Case(
        "write me is_prime, and which nums are",
        "def is_prime(n):\n"
        "    return n > 1 and all(n % d for d in range(2, int(n ** 0.5) + 1))\n\n"
        "[n for n in nums if is_prime(n)]",
        "lists",
    ),
    Case(
        "def for fahrenheit to celsius",
        "def to_celsius(f):\n    return (f - 32) * 5 / 9",
        "lists",
        (),
        ("it shows nothing",),
    ),
    Case(
        "something to flatten nested lists of any depth",
        "def flatten(items):\n    for item in items:\n"
        "        if isinstance(item, list):\n"
        "            yield from flatten(item)\n        else:\n"
        "            yield item\n\nlist(flatten([1, [2, [3, rows]]]))",
        "lists",
    ),
    Case(
        "a class for an account with a balance you can add to",
        "class Account:\n    def __init__(self, balance=0):\n"
        "        self.balance = balance\n\n    def add(self, amount):\n"
        "        self.balance += amount\n        return self.balance",
        "dicts",
        (),
        ("it shows nothing",),
    ),
    Case(
        "Point with x and y, plus the distance between two",
        "from dataclasses import dataclass\n\n@dataclass\nclass Point:\n"
        "    x: float\n    y: float\n\n    def distance(self, other):\n"
        "        return ((self.x - other.x) ** 2 + (self.y - other.y) ** 2) ** 0.5\n\n"
        "Point(0, 0).distance(Point(3, 4))",
        "arrays",
    ),
    Case(
        "a generator of squares, then its first four",
        "from itertools import islice\n\ndef squares():\n    n = 1\n"
        "    while True:\n        yield n * n\n        n += 1\n\n"
        "list(islice(squares(), 4))",
        "lists",
    ),
    # Texts and regexes.
    Case("count the errors in log", "log.count('ERROR')", "texts"),
    Case("domain of each address", "[e.split('@')[1] for e in emails]", "texts"),
    Case("pull all the dates out of the log", "import re\nre.findall(r'\\d{4}-\\d{2}-\\d{2}', log)", "texts"),
    Case("longest word in the text", "import re\nmax(re.findall(r'\\w+', text), key=len)", "texts"),
    Case("How many sentences?", "import re\nlen(re.findall(r'[.!?]', text))", "texts"),
    Case("reverse complement of the dna", "dna[::-1].translate(str.maketrans('ACGT', 'TGCA'))", "texts"),
    Case("gc content in percent", "round(100 * (dna.count('G') + dna.count('C')) / len(dna), 1)", "texts"),
    Case(
        "read csv_text into a table", "from io import StringIO\nitems = pd.read_csv(StringIO(csv_text))\nitems", "texts"
    ),
    Case(
        "hide who it is: mask the part before the @",
        "import re\n[re.sub(r'^[^@]+', '***', e) for e in emails]",
        "texts",
    ),
    Case(
        "is the text a palindrome?",
        "letters = [c for c in text.lower() if c.isalpha()]\nletters == letters[::-1]",
        "texts",
    ),
    Case("wrap it to 20 characters a line", "import textwrap\nprint(textwrap.fill(text, 20))", "texts"),
    # Dates.
    Case(
        "what weekday was each of those days",
        "from datetime import date\n[date.fromisoformat(d).strftime('%A') for d in days]",
        "lists",
    ),
    Case(
        "monthly takings", "(orders['qty'] * orders['price']).groupby(orders['date'].dt.to_period('M')).sum()", "shop"
    ),
    Case("orders placed in January, how many", "int((orders['date'].dt.month == 1).sum())", "shop"),
    Case("end of the month for every hire", "emp['hired'] + pd.offsets.MonthEnd(0)", "office"),
    Case("newest of the days", "max(days)", "lists"),
    # Arrays.
    Case("mean of every row of grid", "grid.mean(axis=1)", "arrays"),
    Case("highest per column", "grid.max(axis=0)", "arrays"),
    Case("sort each row, smallest left", "np.sort(grid, axis=1)", "arrays"),
    Case("where in the grid is the 11?", "np.argwhere(grid == 11).tolist()", "arrays"),
    Case("standardise the columns", "(grid - grid.mean(axis=0)) / grid.std(axis=0)", "arrays"),
    Case(
        "angle between a and b in degrees",
        "np.degrees(np.arccos(a @ b / (np.linalg.norm(a) * np.linalg.norm(b))))",
        "arrays",
    ),
    Case("put a on top of b", "np.vstack([a, b])", "arrays"),
    Case("row with the biggest total", "grid[grid.sum(axis=1).argmax()]", "arrays"),
    Case("is any height missing", "bool(np.isnan(heights).any())", "arrays"),
    Case("cap the signal at one either way", "np.clip(signal, -1, 1)", "arrays"),
    # Plots.
    Case("how are salaries spread? picture please", PLT + "plt.hist(emp['salary'], bins=5)\nplt.show()", "office"),
    Case(
        "age against pay",
        PLT + "plt.scatter(emp['age'], emp['salary'])\nplt.xlabel('age')\nplt.ylabel('salary')\nplt.show()",
        "office",
    ),
    Case("bars, tallest to the left", PLT + "emp['city'].value_counts().plot.bar()\nplt.show()", "office"),
    Case("the signal over time, red", PLT + "plt.plot(signal, color='red')\nplt.title('signal')\nplt.show()", "arrays"),
    Case("boxes for each department", PLT + "emp.boxplot(column='salary', by='dept')\nplt.show()", "office"),
    Case("grid as colours", PLT + "plt.imshow(grid)\nplt.colorbar()\nplt.show()", "arrays"),
    # Small models.
    Case(
        "predict salary from age, slope?",
        "from sklearn.linear_model import LinearRegression\n"
        "fit = LinearRegression().fit(emp[['age']], emp['salary'])\n"
        "fit.coef_[0]",
        "office",
    ),
    Case(
        "two clusters of plots by area",
        "from sklearn.cluster import KMeans\n"
        "plots['cluster'] = KMeans(n_clusters=2, n_init=10, random_state=0).fit_predict(plots[['area']])\n"
        "plots",
        "shop",
    ),
    Case(
        "scale the ages to 0..1",
        "from sklearn.preprocessing import MinMaxScaler\nMinMaxScaler().fit_transform(emp[['age']]).ravel()",
        "office",
    ),
    Case(
        "straight line through the heights",
        "slope, start = np.polyfit(range(len(heights)), heights, 1)\nfloat(slope)",
        "arrays",
    ),
    # This and that.
    Case("swap keys and values of stock", "{v: k for k, v in stock.items()}", "dicts"),
    Case("value of everything in the shop", "sum(prices[k] * stock[k] for k in prices)", "dicts"),
    Case("which port does the database use", "config['db']['port']", "dicts"),
    Case(
        "group the people by team",
        "teams = {}\nfor p in people:\n    teams.setdefault(p['team'], []).append(p['name'])\nteams",
        "dicts",
    ),
    Case("transpose the rows", "[list(column) for column in zip(*rows)]", "lists"),
    Case("cities by department, crosswise", "pd.crosstab(emp['dept'], emp['city'])", "office"),
    Case(
        "Cheaper than the average fruit?",
        "mean = sum(prices.values()) / len(prices)\n[k for k, v in prices.items() if v < mean]",
        "dicts",
    ),
    Case("people as a table", "pd.DataFrame(people)", "dicts"),
    Case(
        "does the budget cover pay? divide by a thousand",
        "pay = emp.groupby('dept')['salary'].sum() / 1000\ndepts.set_index('dept')['budget'].sort_index() > pay",
        "office",
    ),
)
