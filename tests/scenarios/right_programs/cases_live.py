"""Right code that the live data could make look like a slip: columns, words and names that the code itself makes."""

from __future__ import annotations

from tests.scenarios.right_programs.cases_spaces import Case

CASES = (
    # Tables and columns made anew, whose labels and words are nearly those of the old.
    Case(
        "small letters for the depts, then pick it",
        "emp['dept'] = emp['dept'].str.lower()\nemp[emp['dept'] == 'it']",
        "office",
    ),
    Case(
        "names with capitals: Name, Dept... who's in HR",
        "emp.columns = emp.columns.str.title()\nemp[emp['Dept'] == 'HR']['Name'].tolist()",
        "office",
    ),
    Case("capital headings and then the pay", "emp.rename(columns=str.upper)['SALARY']", "office"),
    Case(
        "swap in this one: Name/City, ann of oslo and bo of rome; who lives in oslo?",
        "emp = pd.DataFrame({'Name': ['ann', 'bo'], 'City': ['oslo', 'rome']})\n"
        "emp.loc[emp['City'] == 'oslo', 'Name'].item()",
        "office",
    ),
    Case(
        "a City column in capitals beside the old one",
        "emp['City'] = emp['city'].str.upper()\nemp.loc[emp['City'] == 'OSLO', 'name'].tolist()",
        "office",
    ),
    Case("ages in months, called ages", "emp['ages'] = emp['age'] * 12\nemp[['name', 'ages']]", "office"),
    Case(
        "rename the arm null to Null and show those patients",
        "trials['arm'] = trials['arm'].replace('null', 'Null')\n"
        "trials.loc[trials['arm'] == 'Null', 'patient'].tolist()",
        "lab",
    ),
    Case("anyone in oslo, spelt any way", "emp[emp['city'].str.lower() == 'oslo']", "office"),
    Case(
        "once again from scratch: copy emp, move everybody to Paris",
        "moved = emp.copy()\nmoved['city'] = 'Paris'\nmoved[moved['city'] == 'Paris'].shape[0]",
        "office",
    ),
    Case(
        "relabel: IT is Tech from now on. How many Techs?",
        "emp['dept'] = emp['dept'].replace({'IT': 'Tech'})\nint((emp['dept'] == 'Tech').sum())",
        "office",
    ),
    Case(
        "upper-case products, is TEA there",
        "products = orders['product'].str.upper()\nbool((products == 'TEA').any())",
        "shop",
    ),
    Case(
        "Ada's town in small letters, then who has it so",
        "emp.loc[emp['name'] == 'Ada', 'city'] = 'oslo'\nemp.loc[emp['city'] == 'oslo', 'name'].tolist()",
        "office",
    ),
    Case(
        "towns upper-cased for good; OSLO people",
        "emp['city'] = emp['city'].str.upper()\nemp[emp['city'] == 'OSLO']",
        "office",
    ),
    Case(
        "add eve who lives in oslo (small o!) and show only such",
        "emp = pd.concat([emp, pd.DataFrame({'name': ['Eve'], 'city': ['oslo']})])\nemp[emp['city'] == 'oslo']",
        "office",
    ),
    Case(
        "a function for tables with small town names, tried on one",
        "def in_oslo(emp):\n    return emp[emp['city'] == 'oslo']\n\nin_oslo(pd.DataFrame({'city': ['oslo', 'rome']}))",
        "office",
    ),
    Case("Oslo or oslo or OSLO, I don't care", "emp[emp['city'].isin(['oslo', 'Oslo', 'OSLO'])]", "office"),
    Case(
        "does dropping column zzz work? emp after it",
        "try:\n    emp.drop(columns='zzz')\nexcept KeyError:\n    print('no such column')\nemp",
        "office",
    ),
    # Columns that a step of the code makes.
    Case(
        "heads and money per dept, in columns n and pay",
        "out = emp.groupby('dept', as_index=False).agg(n=('name', 'size'), pay=('salary', 'sum'))\nout[out['n'] > 2]",
        "office",
    ),
    Case(
        "city sizes as a table, most first",
        "sizes = emp['city'].value_counts().reset_index()\nsizes.sort_values('count', ascending=False)",
        "office",
    ),
    Case("what's the 75% point of age", "emp.describe().loc['75%', 'age']", "office"),
    Case(
        "range within depts",
        "stats = emp.groupby('dept')['salary'].agg(['min', 'max'])\nstats['max'] - stats['min']",
        "office",
    ),
    Case("look up Ada's row by her name", "emp.set_index('name').loc['Ada', 'salary']", "office"),
    Case(
        "norte minus sur in each month",
        "wide = ventas.pivot(index='mes', columns='zona', values='importe')\nwide['norte'] - wide['sur']",
        "world",
    ),
    Case(
        "both golf rounds side by side",
        "sides = golf.pivot(index='player', columns='round', values='score').add_prefix('round_')\n"
        "sides['round_2'] - sides['round_1']",
        "lab",
    ),
    Case(
        "first names only, out of the list",
        "people = pd.Series(names).str.replace('Dr ', '').str.split(' ', expand=True)\npeople[0].tolist()",
        "lists",
    ),
    Case(
        "before and after in long form, what's the mean of either",
        "long = trials.melt(id_vars=['patient', 'arm'], var_name='when', value_name='pressure')\n"
        "long.groupby('when')['pressure'].mean()",
        "lab",
    ),
    Case(
        "join orders and visits on user: where do order and visit fall in different months",
        "both = orders.merge(visits, on='user')\n"
        "both.loc[both['date'].dt.month != both['at'].dt.month, ['id', 'page']]",
        "shop",
    ),
    Case(
        "self-join: who shares a city with Ada",
        "pairs = emp.merge(emp, on='city', suffixes=('', '_other'))\n"
        "pairs.loc[(pairs['name'] == 'Ada') & (pairs['name_other'] != 'Ada'), 'name_other'].tolist()",
        "office",
    ),
    Case(
        "one-hot the depts; who is IT",
        "flags = pd.get_dummies(emp['dept'])\nemp.loc[flags['IT'], 'name'].tolist()",
        "office",
    ),
    Case(
        "grand total in the margin too",
        "pd.pivot_table(emp, index='dept', columns='city', values='salary', aggfunc='sum', "
        "margins=True).loc['All', 'All']",
        "office",
    ),
    Case("by query: Oslo above 4500", "emp.query(\"salary > 4500 and city == 'Oslo'\")", "office"),
    Case(
        "bonus = 4 percent of pay, as a chain",
        "emp.assign(bonus=lambda d: d['salary'] * 0.04).sort_values('bonus')[['name', 'bonus']]",
        "office",
    ),
    Case("sentence about each", "[f'{row.name} ({row.age})' for row in emp.itertuples()]", "office"),
    Case("row by row: pay over age", "emp.apply(lambda row: row['salary'] / row['age'], axis=1).round(1)", "office"),
    # Names that the code makes itself, or that are the notebook's or IPython's.
    Case("lo = smallest, hi = biggest of nums; both together?", "lo, hi = min(nums), max(nums)\nlo + hi", "lists"),
    Case("show me emp nicely", "display(emp)", "office"),
    Case("time a sort of nums", "from timeit import timeit\ntimeit(lambda: sorted(nums), number=100) > 0", "lists"),
    Case("Sum, the wordy way, with a total that grows", "total = 0\nfor n in nums:\n    total += n\ntotal", "lists"),
    Case("does a key called total exist? if not put 0", "stock.setdefault('total', 0)\nstock", "dicts"),
    Case(
        "try to read port as a number, else -1",
        "try:\n    port = int(config['db']['prot'])\nexcept KeyError:\n    port = -1\nport",
        "dicts",
    ),
    Case("is there a Name column? say yes or no", "'yes' if 'Name' in emp.columns else 'no'", "office"),
    Case(
        "salary or pay, whichever column there is",
        "column = 'pay' if 'pay' in emp else 'salary'\nemp[column].sum()",
        "office",
    ),
    Case(
        "if there's a column bonus take it, else nulls",
        "emp.get('bonus', pd.Series(0, index=emp.index)).sum()",
        "office",
    ),
    Case(
        "fill in missing mornings: count 0 for absent pages home, cart, Help",
        "visits['page'].value_counts().reindex(['home', 'cart', 'Help'], fill_value=0)",
        "shop",
    ),
    Case("nobody in Paris, right? count", "int((emp['city'] == 'Paris').sum())", "office", (), ("No 'Paris' stands",)),
    Case("everyone who isn't in Madrid", "emp[emp['city'] != 'Madrid']", "office", (), ("No 'Madrid' stands",)),
    Case(
        "until when did the datetime clock run? a week after the last visit",
        "from datetime import timedelta\nvisits['at'].max() + timedelta(weeks=1)",
        "shop",
    ),
    Case("end-of-month resample of the takings", "orders.set_index('date')['price'].resample('ME').sum()", "shop"),
    Case(
        "match on the type of each thing",
        "def kind(thing):\n    match thing:\n        case int():\n"
        "            return 'number'\n        case str():\n"
        "            return 'text'\n        case _:\n"
        "            return 'else'\n\n[kind(x) for x in (1, 'a', None)]",
        "lists",
    ),
)
