"""Ordinary words that are also the name of a function, a plot, a column, a value or a result."""

from __future__ import annotations

from tests.scenarios.right_programs.cases_spaces import Case

CASES = (
    # Names of functions in plain English.
    Case("find the employee called max", "emp[emp['name'] == 'Max']", "office"),
    Case("is somebody named Min in here?", "bool((emp['name'] == 'Min').any())", "office", (), ("No 'Min' stands",)),
    Case("the guy called Tom, what's he paid", "emp.loc[emp['name'] == 'Tom', 'salary'].item()", "office"),
    Case("a list id for all the orders of ann", "orders.loc[orders['user'] == 'ann', 'id'].tolist()", "shop"),
    Case(
        "sum the situation up in one sentence",
        "f'{len(emp)} people earn {emp[\"salary\"].mean():.0f} on average'",
        "office",
    ),
    Case(
        "prices are in dollars, store it in euros",
        "{name: round(price * 0.92, 2) for name, price in prices.items()}",
        "dicts",
    ),
    Case("save it as csv", "it.to_csv(index=False)", "office", ("it = emp[emp['dept'] == 'IT']\nit",)),
    Case("can I have that as json text", "emp.head(2).to_json(orient='records')", "office"),
    Case("how do I put the employees in groups", "emp.groupby('dept')['name'].apply(list)", "office"),
    Case("filter: salary = 5200", "emp[emp['salary'] == 5200]", "office"),
    Case(
        "what type of pie do people order",
        "orders.loc[orders['product'].str.contains('pie'), 'product'].unique().tolist()",
        "shop",
    ),
    Case(
        "next order after 2 February?",
        "orders[orders['date'] > '2025-02-02'].sort_values('date').iloc[0]['id']",
        "shop",
    ),
    Case("my input was bad, throw out non-letters from text", "import re\nre.sub(r'[^A-Za-z ]', '', text)", "texts"),
    Case("hash browns are 3.20, put them among the prices", "prices['hash browns'] = 3.20\nprices", "dicts"),
    Case("open orders, when is the oldest from", "orders.loc[orders['status'] == 'open', 'date'].min()", "shop"),
    Case(
        "print me something nice about Zoe",
        "print(f\"Zoe works in {emp.loc[emp['name'] == 'Zoe', 'city'].item()}.\")",
        "office",
    ),
    Case("any help pages visited? which users", "visits.loc[visits['page'] == 'help', 'user'].tolist()", "shop"),
    Case("give me a set of cups, I mean of distinct letters in dna", "set(dna)", "texts"),
    Case("map of who lives where, one entry a person", "dict(zip(emp['name'], emp['city']))", "office"),
    Case("range of the salaries", "emp['salary'].max() - emp['salary'].min()", "office"),
    Case("in what order do the towns come, from A to Z", "sorted(emp['city'].unique())", "office"),
    Case(
        "all the best for Ada: raise her pay by a tenth",
        "emp['salary'] = emp['salary'].mask(emp['name'] == 'Ada', emp['salary'] * 1.1)\nemp[emp['name'] == 'Ada']",
        "office",
    ),
    Case(
        "call Ines the boss in the depts table, for Sales that is",
        "depts.loc[depts['dept'] == 'Sales', 'head'] = 'Ines (boss)'\ndepts",
        "office",
    ),
    Case("bring the staff into some order", "emp.sort_values('name')", "office"),
    Case("keep that in mind: bonus is 5 percent. What would all get?", "emp['salary'] * 0.05", "office"),
    Case("string together the words with dashes", "'-'.join(words)", "lists"),
    Case("names, as heard: surname first", "[' '.join(reversed(n.rsplit(' ', 1))) for n in names]", "lists"),
    Case("put the temperatures in fahrenheit", "[t * 9 / 5 + 32 for t in temps]", "lists"),
    # Thresholds in words and in other units.
    Case(
        "orders within two weeks of 1 Jan 2025",
        "start = pd.Timestamp('2025-01-01')\norders[orders['date'] <= start + pd.Timedelta(days=14)]",
        "shop",
    ),
    Case("pages slower than a third of a second", "visits[visits['latency_ms'] > 1000 / 3]", "shop"),
    Case("Whose plot is over a tenth of a hectare?", "plots.loc[plots['area'] > 1000, 'owner'].tolist()", "shop"),
    Case("who finished in under fifty seconds", "runs[runs['time'] < 50]", "lab"),
    Case("more than a dozen pieces in stock", "[k for k, v in stock.items() if v > 12]", "dicts"),
    Case("trained in at most half a minute", "models[models['seconds'] <= 30]", "lab"),
    Case("salary above five grand", "emp[emp['salary'] > 5000]", "office"),
    Case("give 10 % off on every price", "{k: v * 0.9 for k, v in prices.items()}", "dicts"),
    Case("the first three quarters of nums", "nums[:len(nums) * 3 // 4]", "lists"),
    Case("taller than 5 foot 9", "heights[heights > (5 * 12 + 9) * 0.0254]", "arrays"),
    Case("people with a decade or more in the house by mid 2025", "emp[emp['hired'] <= '2015-07-01']", "office"),
    Case("split 24 h of visits into morning and the rest", "visits.groupby(visits['at'].dt.hour < 12).size()", "shop"),
    # Plots, titles, rounds, nulls, boxes and bars that are none.
    Case("apple pie orders please", "orders[orders['product'] == 'apple pie']", "shop"),
    Case("a plot of land in the north, which ones are there", "plots[plots['side'] == 'north']", "shop"),
    Case("people with the title Dr", "[n for n in names if n.startswith('Dr ')]", "lists"),
    Case("scores of the second round", "golf.loc[golf['round'] == 2, ['player', 'score']]", "lab"),
    Case(
        "does the null arm change at all? the null hypothesis is that it doesn't",
        "null = trials[trials['arm'] == 'null']\n(null['after'] - null['before']).mean()",
        "lab",
    ),
    Case("orders whose status is the word null", "orders[orders['status'] == 'null']", "shop"),
    Case(
        "suppose passing the bar exam takes 70 marks, who of them would",
        "[n for n, a in {'Ann': 81, 'Bob': 66, 'Cy': 74}.items() if a >= 70]",
        "dicts",
    ),
    Case("box office since 2020", "films[films['year'] >= 2020]['box_office'].sum()", "shop"),
    Case("draw the line at 45: older ones only", "emp[emp['age'] > 45]", "office"),
    Case(
        "chart toppers: films that took more than 100 million",
        "films.loc[films['box_office'] > 100, 'title'].tolist()",
        "shop",
    ),
    Case("what's the title of the best selling film", "films.loc[films['box_office'].idxmax(), 'title']", "shop"),
    Case("scatter a few zeros into a, say at the ends", "a[[0, -1]] = 0\na", "arrays"),
    Case(
        "histogram-like counts of letters, no picture",
        "from collections import Counter\nCounter(text.lower())",
        "texts",
    ),
    Case("title, properly capitalised", "title.title()", "texts"),
    Case("go round in circles: rotate nums by two", "nums[2:] + nums[:2]", "lists"),
    Case(
        "the missing link between Ada and Ines?",
        "emp[emp['name'].isin(['Ada', 'Ines'])][['name', 'dept', 'salary']]",
        "office",
    ),
    Case(
        "drop in latency from cart to home",
        "page = visits.groupby('page')['latency_ms'].mean()\npage['cart'] - page['home']",
        "shop",
    ),
    Case(
        "Rome wasn't built in a day; how long was it from the first hire there to the latest?",
        "emp[emp['city'] == 'Rome'].sort_values('hired')['hired'].diff().sum()",
        "office",
    ),
    Case(
        "which compass side has more land, going north or south", "plots.groupby('side')['area'].sum().idxmax()", "shop"
    ),
    Case("we drove North for an hour. average time of all runners?", "runs['time'].mean()", "lab"),
    Case("for sales meetings I need the oldest employee", "emp.loc[emp['age'].idxmax(), 'name']", "office"),
    Case("on Sunday I drank tea and it was fine. total pieces sold?", "orders['qty'].sum()", "shop"),
    Case("age before beauty: sort", "emp.sort_values('age', ascending=False)", "office"),
    Case('what does "median of means" give for the depts', "emp.groupby('dept')['salary'].mean().median()", "office"),
    Case('say "done" once the table is sorted by age', "emp = emp.sort_values('age')\nprint('done')", "office"),
    Case(
        "'Running total' of qty, as a column at the right",
        "orders.assign(**{'Running total': orders['qty'].cumsum()})",
        "shop",
    ),
    Case(
        "`emp`: who is paid twice what the lowest gets or less",
        "emp[emp['salary'] <= 2 * emp['salary'].min()]",
        "office",
    ),
    Case(
        "take `orders` and `visits`, users that are in both",
        "sorted(set(orders['user']) & set(visits['user']))",
        "shop",
    ),
    Case(
        "add pay_per_year to a copy of emp",
        "yearly = emp.copy()\nyearly['pay_per_year'] = yearly['salary'] * 12\nyearly",
        "office",
    ),
    Case(
        "latency_ms in whole seconds under latency_s",
        "visits['latency_s'] = visits['latency_ms'] // 1000\nvisits",
        "shop",
    ),
    Case(
        "show the annual pay of each person",
        "pay = emp[['name', 'salary']].copy()\npay['annual'] = pay['salary'] * 12\npay",
        "office",
    ),
    Case(
        "what would they earn after a raise of 200?",
        "raised = emp.copy()\nraised['salary'] += 200\nraised[['name', 'salary']]",
        "office",
    ),
    Case("show depts with budgets doubled", "depts.assign(budget=depts['budget'] * 2)", "office"),
    Case(
        "count on me: label everyone senior (40 and up) or junior and tell me the numbers",
        "emp['level'] = np.where(emp['age'] >= 40, 'senior', 'junior')\nemp['level'].value_counts()",
        "office",
    ),
    Case("who is who? number the staff from 1", "emp.insert(0, 'no', range(1, len(emp) + 1))\nemp", "office"),
    Case("which index does Kim have", "int(emp.index[emp['name'] == 'Kim'][0])", "office"),
    Case("one in four: every fourth row", "emp.iloc[::4]", "office"),
    Case("the fifth element", "nums[4]", "lists"),
    Case("one of the two Romes, whichever came first", "emp[emp['city'] == 'Rome'].nsmallest(1, 'hired')", "office"),
)
