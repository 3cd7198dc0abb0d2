"""Requests after other requests: what goes on from the last answer, what goes back, and what may be read either way."""

from __future__ import annotations

from tests.scenarios.right_programs.cases_spaces import Case

IT = "it = emp[emp['dept'] == 'IT']\nit"
MEANS = "emp.groupby('dept')['salary'].mean()"
BARS = "import matplotlib.pyplot as plt\nemp['dept'].value_counts().plot.bar()\nplt.show()"
BOB = "bobs = orders[orders['user'] == 'bob']\nbobs"
EVEN = "evens = [n for n in nums if n % 2 == 0]\nevens"

CASES = (
    Case("now just count all employees", "len(emp)", "office", (IT,)),
    Case("and the average age of the whole table?", "emp['age'].mean()", "office", (IT,)),
    Case("how do these compare with the rest", "emp.groupby(emp['dept'] == 'IT')['salary'].mean()", "office", (IT,)),
    Case("now by city", "emp.groupby('city')['salary'].mean()", "office", (MEANS,)),
    Case("by city as well", "emp.groupby(['dept', 'city'])['salary'].mean()", "office", (MEANS,)),
    Case("now per city", "emp.groupby(['dept', 'city'])['salary'].mean().unstack()", "office", (MEANS,)),
    Case("and the number?", "emp.groupby('dept').size()", "office", (MEANS,)),
    Case("and overall?", "emp['salary'].mean()", "office", (MEANS,)),
    Case("just for everybody, not only them", "emp['salary'].mean()", "office", (IT, "it['salary'].mean()")),
    Case("those over forty", "it[it['age'] > 40]", "office", (IT,)),
    Case("only people over 35, anywhere in the firm", "emp[emp['age'] > 35]", "office", (IT,)),
    Case(
        "just the names of the ones who aren't them",
        "emp.loc[~emp['name'].isin(it['name']), 'name'].tolist()",
        "office",
        (IT,),
    ),
    Case("only for Oslo", "emp[emp['city'] == 'Oslo'].groupby('dept')['salary'].mean()", "office", (MEANS,)),
    Case("just Rome, one figure", "emp.loc[emp['city'] == 'Rome', 'salary'].mean()", "office", (MEANS,)),
    Case("no, the median", "emp['salary'].median()", "office", ("emp['salary'].mean()",)),
    Case("median of these means", "emp.groupby('dept')['salary'].mean().median()", "office", (MEANS,)),
    Case("back to all of them, in the order they joined", "emp.sort_values('hired')", "office", (IT,)),
    Case("without the ones we just listed", "emp.drop(it.index)", "office", (IT,)),
    Case("undo the filter, how many rows do we have", "emp.shape[0]", "office", (IT,)),
    Case(
        "is that more than the others get?",
        "bool(it['salary'].mean() > emp.drop(it.index)['salary'].mean())",
        "office",
        (IT,),
    ),
    Case("and with headcounts next to it", "emp.groupby('dept')['salary'].agg(['mean', 'size'])", "office", (MEANS,)),
    Case("turn that chart into plain numbers", "emp['dept'].value_counts()", "office", (BARS,)),
    Case("now just tell me the exact figure for HR", "int((emp['dept'] == 'HR').sum())", "office", (BARS,)),
    Case("and who are they", "emp.groupby('dept')['name'].apply(list)", "office", (BARS,)),
    Case("only the first of them", "it.iloc[0].to_dict()", "office", (IT,)),
    Case("them again but the money in thousands", "it.assign(salary=it['salary'] / 1000)", "office", (IT,)),
    Case("what is the total of all orders then", "(orders['qty'] * orders['price']).sum()", "shop", (BOB,)),
    Case(
        "did the rest buy more?",
        "int(orders['qty'].sum() - bobs['qty'].sum()) > int(bobs['qty'].sum())",
        "shop",
        (BOB,),
    ),
    Case(
        "just the products nobody else took",
        "set(bobs['product']) - set(orders.loc[orders['user'] != 'bob', 'product'])",
        "shop",
        (BOB,),
        ("its result is empty",),
    ),
    Case("same thing for ann", "orders[orders['user'] == 'ann']", "shop", (BOB,)),
    Case("sum of all numbers now", "sum(nums)", "lists", (EVEN,)),
    Case("those times ten", "[n * 10 for n in evens]", "lists", (EVEN,)),
    Case("and the odd ones", "[n for n in nums if n % 2]", "lists", (EVEN,)),
    Case("how many were left out?", "len(nums) - len(evens)", "lists", (EVEN,)),
    Case("now add up every second one of the original", "sum(nums[::2])", "lists", (EVEN,)),
    Case(
        "the other way round",
        "emp.groupby('dept')['salary'].mean().sort_values(ascending=False)",
        "office",
        ("emp.groupby('dept')['salary'].mean().sort_values()",),
    ),
    Case(
        "by dept is fine, but I want the youngest in each",
        "emp.loc[emp.groupby('dept')['age'].idxmin(), ['dept', 'name']]",
        "office",
        (MEANS,),
    ),
)
