"""Data that the request itself gives, or asks to be made up or read again: it must stay in the code."""

from __future__ import annotations

from tests.scenarios.right_programs.cases_spaces import Case

CASES = (
    Case(
        "nums should have been 4, 8, 15, 16, 23, 42 - so what's the sum",
        "nums = [4, 8, 15, 16, 23, 42]\nsum(nums)",
        "lists",
    ),
    Case(
        "sorry wrong numbers!! 2 4 6 8 10, average of those", "nums = [2, 4, 6, 8, 10]\nsum(nums) / len(nums)", "lists"
    ),
    Case(
        "Monday was 21 not 12, the week went 21 14 15 13 16 18 20. Warmest day's value?",
        "temps = [21, 14, 15, 13, 16, 18, 20]\nmax(temps)",
        "lists",
    ),
    Case(
        "prices are now apple 1.3, pear 1.1, plum 3, kiwi 0.8. which is dearest",
        "prices = {'apple': 1.3, 'pear': 1.1, 'plum': 3, 'kiwi': 0.8}\nmax(prices, key=prices.get)",
        "dicts",
    ),
    Case(
        "stock after the delivery: apple 20 pear 15 plum 9 kiwi 30. how many pieces in all?",
        "stock = {'apple': 20, 'pear': 15, 'plum': 9, 'kiwi': 30}\nsum(stock.values())",
        "dicts",
    ),
    Case(
        "words = plum, Grape, melon, date; alphabetical, ignoring case",
        "words = ['plum', 'Grape', 'melon', 'date']\nsorted(words, key=str.lower)",
        "lists",
    ),
    Case(
        "here's the corrected heights array: 1.60 1.80 1.74 1.70, mean?",
        "heights = np.array([1.60, 1.80, 1.74, 1.70])\nheights.mean()",
        "arrays",
    ),
    Case(
        "grid ought to be 1..4, 5..8, 9..12; give the column sums",
        "grid = np.array([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]])\ngrid.sum(axis=0)",
        "arrays",
    ),
    Case(
        "last year's contest: tree 5.0/.7/2, forest 3.3/.8/14, boost 3.0/.85/33 (rmse/accuracy/seconds). Best one?",
        "last_year = pd.DataFrame({'model': ['tree', 'forest', 'boost'], 'rmse': [5.0, 3.3, 3.0], "
        "'accuracy': [0.7, 0.8, 0.85], 'seconds': [2, 14, 33]})\n"
        "last_year.loc[last_year['rmse'].idxmin(), 'model']",
        "lab",
    ),
    Case(
        "the plots changed hands: Lou 800 north, Jon 1200 south, Mo 950 north. whose lie in the north?",
        "plots = pd.DataFrame({'owner': ['Lou', 'Jon', 'Mo'], 'area': [800, 1200, 950], "
        "'side': ['north', 'south', 'north']})\nplots.loc[plots['side'] == 'north', 'owner'].tolist()",
        "shop",
    ),
    Case(
        "use these films: Moss 12.5 (2020), Tide 99 (2022), Glow 54.1 (2023). box office altogether?",
        "films = pd.DataFrame({'title': ['Moss', 'Tide', 'Glow'], 'box_office': [12.5, 99, 54.1], "
        "'year': [2020, 2022, 2023]})\nfilms['box_office'].sum()",
        "shop",
    ),
    Case(
        "make up a random table called emp",
        "rng = np.random.default_rng(0)\nemp = pd.DataFrame({'name': list('abcdef'), "
        "'salary': rng.integers(3000, 8000, 6), 'age': rng.integers(20, 65, 6)})\nemp",
        "office",
    ),
    Case(
        "I'd like emp to be something simpler: three people, name and age",
        "emp = pd.DataFrame({'name': ['Ada', 'Max', 'Li'], 'age': [34, 45, 29]})\nemp",
        "office",
    ),
    Case(
        "reload the file",
        "sales = pd.read_csv('sales.csv')\nsales",
        "shop",
        ("sales = pd.read_csv('sales.csv')\nsales = sales[sales['amount'] > 10]\nsales",),
    ),
    Case(
        "I edited sales.csv, take the fresh one: total amount?",
        "sales = pd.read_csv('sales.csv')\nsales['amount'].sum()",
        "shop",
        ("sales = pd.read_csv('sales.csv')\nsales",),
    ),
    Case(
        "start over from the original",
        "sales = pd.read_csv('sales.csv')\nsales.head()",
        "shop",
        ("sales = pd.read_csv('sales.csv').dropna().head(2)\nsales",),
    ),
    Case(
        "the dates were 2025-06-01, 2025-07-15, 2025-08-20, 2025-09-09; gaps between them in days",
        "days = pd.to_datetime(['2025-06-01', '2025-07-15', '2025-08-20', '2025-09-09'])\n"
        "days.to_series().diff().dt.days.dropna().tolist()",
        "lists",
    ),
    Case(
        "how old are they on average if Ann is 32, Bob 29, Cy 46 and Di 50",
        "ages = {'Ann': 32, 'Bob': 29, 'Cy': 46, 'Di': 50}\nsum(ages.values()) / len(ages)",
        "dicts",
    ),
    Case("log now has just this: 2025-02-01 WARN hot. split it", "log = '2025-02-01 WARN hot'\nlog.split()", "texts"),
    Case("text: 'To be or not to be'. count the words", "text = 'To be or not to be'\nlen(text.split())", "texts"),
    Case(
        "suppose signal were 5 3 1 2 4 - where is its peak?",
        "signal = np.array([5, 3, 1, 2, 4])\nsignal.argmax()",
        "arrays",
    ),
    Case("with nums 10 to 15 instead, square them", "nums = [10, 11, 12, 13, 14, 15]\n[n ** 2 for n in nums]", "lists"),
    Case("clear nums", "nums = []\nnums", "lists", (), ("its result is empty",)),
    Case(
        "Give the cast new names: Dr Eva Ost, Tim Ban, Dr Raj Lal, Jo Fox. Doctors only.",
        "names = ['Dr Eva Ost', 'Tim Ban', 'Dr Raj Lal', 'Jo Fox']\n[n for n in names if n.startswith('Dr ')]",
        "lists",
    ),
    Case(
        "the team has changed: Ann 31 red, Di 22 red, Ed 39 blue. list the reds",
        "people = [{'name': 'Ann', 'age': 31, 'team': 'red'}, {'name': 'Di', 'age': 22, 'team': 'red'}, "
        "{'name': 'Ed', 'age': 39, 'team': 'blue'}]\n"
        "[p['name'] for p in people if p['team'] == 'red']",
        "dicts",
    ),
    Case(
        "depts with budgets 100, 130, 50 for Sales IT HR and heads Ines Zoe Kim",
        "depts = pd.DataFrame({'dept': ['Sales', 'IT', 'HR'], 'head': ['Ines', 'Zoe', 'Kim'], 'budget': "
        "[100, 130, 50]})\n"
        "depts",
        "office",
    ),
    Case(
        "new joiner: Pia, HR, Lyon, 4300, 27, 1 march 2025. put her at the end",
        "emp.loc[len(emp)] = ['Pia', 'HR', 'Lyon', 4300, 27, pd.Timestamp('2025-03-01')]\nemp.tail(1)",
        "office",
    ),
    Case(
        "config: host example.org port 6000, debugging on",
        "config = {'db': {'host': 'example.org', 'port': 6000}, 'debug': True}\nconfig",
        "dicts",
    ),
    Case(
        "my results were 52, 50, 49.5, 51 - am I quicker than the club on average?",
        "mine = [52, 50, 49.5, 51]\nbool(np.mean(mine) < runs['time'].mean())",
        "lab",
    ),
    Case(
        "try the t-test with 3.1 2.9 3.4 3.3 against 2.2 2.5 2.1 2.6",
        "from scipy import stats\nx = [3.1, 2.9, 3.4, 3.3]\n"
        "y = [2.2, 2.5, 2.1, 2.6]\nfloat(stats.ttest_ind(x, y).pvalue)",
        "lab",
    ),
    Case("a = 1 1 2 3 5 8; each over the one before", "a = np.array([1, 1, 2, 3, 5, 8])\na[1:] / a[:-1]", "arrays"),
    Case(
        "my csv is: item,amount / cup,7 / jar,9 / lid,2. Load it",
        "from io import StringIO\ncsv_text = 'item,amount\\ncup,7\\njar,9\\nlid,2\\n'\npd.read_csv(StringIO(csv_text))",
        "texts",
    ),
    Case(
        "pairs are wrong, take x5 y2 z9 and put the largest first",
        "pairs = [('x', 5), ('y', 2), ('z', 9)]\nsorted(pairs, key=lambda p: p[1], reverse=True)",
        "lists",
    ),
    Case(
        "toss a coin a dozen times",
        "rng = np.random.default_rng(7)\nrng.choice(['heads', 'tails'], size=12).tolist()",
        "lists",
    ),
    Case(
        "fake some nums, twenty of them between 1 and 6",
        "import random\nrandom.seed(1)\nnums = [random.randint(1, 6) for _ in range(20)]\nnums",
        "lists",
    ),
)
