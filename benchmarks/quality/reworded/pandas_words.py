"""The pandas tasks in other words."""

# ruff: noqa: E501  (a line of code within a task is easier read whole)

WORDS: dict[str, tuple[str, ...]] = {
    "pandas-01": ("give me the overall number of units sold",),
    "pandas-02": ("For every region: the sum of units.",),
    "pandas-03": ("compute units * unit price summed over all orders and store it as total_revenue",),
    "pandas-04": ("sales needs a new column called revenue = units x Unit Price, please add it",),
    "pandas-05": ("Filter sales: Region is North, and units above 2.",),
    "pandas-06": ("for each product, what's the mean of Unit Price?",),
    "pandas-07": ("make a pivot table named pivot: regions down, products across, summed units * Unit Price inside",),
    "pandas-08": ("count the NaNs per column of patients",),
    "pandas-09": ("What's the average age (skip NaN)?",),
    "pandas-10": ("replace NaN in the age column of patients by that column's median",),
    "pandas-11": ("keep only rows of patients without any NaN, save them as complete, leave patients alone",),
    "pandas-12": ("name of the ward where most patients are",),
    "pandas-13": ("average Weight (kg) grouped by sex",),
    "pandas-14": ("students ordered from highest to lowest math score",),
    "pandas-15": ("make a list passed of the names of everybody with math and physics both 60 or more",),
    "pandas-16": ("how strongly do math and physics scores correlate? (Pearson)",),
    "pandas-17": ("for each class, who got the highest math score?",),
    "pandas-18": (
        "Melt the two score columns of students into long format; the result is called long and has name, subject, score",
    ),
    "pandas-19": ("Visitors holds strings like 1,200. Add all of them up.",),
    "pandas-20": ("number of distinct cities, ignoring upper/lower case and surrounding spaces",),
    "pandas-21": (
        "merge teachers into students by class and call the result joined; keep name, class, math, physics, teacher",
    ),
    "pandas-22": ("What revenue (units * price) did each region make?", "Same thing per product"),
    "pandas-23": ("average of units for each product", "I meant median, not mean", "restrict that to region South"),
    "pandas-24": (
        "list the names of patients whose age is missing",
        "delete these rows in patients",
        "average age per ward, please",
    ),
    "pandas-25": (
        "students should get a total column, the sum of math and physics",
        "which student's total is the largest?",
    ),
    "pandas-26": ("mean of math for students", "and for df2?"),
    "pandas-27": (
        "strip whitespace from the column names of cities (in place)",
        "now tidy City itself: strip it and use title case",
        "count rows for each city",
    ),
    "pandas-28": ("the three orders with the most units", "now the two with the fewest"),
    "pandas-29": ("counts = how many patients each ward has", "in percent of the total"),
    "pandas-30": ("class averages of both scores", "without decimals please, rounded"),
    "pandas-31": ("the math column of students should be called maths", "count the students above 60 in it"),
    "pandas-32": ("show me the sales of Lamp", "keep those of 3 units or more", "sum of their units"),
}
