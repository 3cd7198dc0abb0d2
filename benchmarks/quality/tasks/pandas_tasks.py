"""Tables."""

from benchmarks.quality.task import Step, Task, one
from benchmarks.quality.tasks.frames import CITIES, PATIENTS, SALES, STUDENTS

REVENUE = "(sales['units'] * sales['Unit Price'])"

TASKS = [
    one("pandas-01", "pandas", SALES, "How many units were sold in total?", "sales['units'].sum()"),
    one("pandas-02", "pandas", SALES, "total units per region", "sales.groupby('Region')['units'].sum()"),
    one(
        "pandas-03",
        "pandas",
        SALES,
        "What is the total revenue (units times unit price)? Put it into total_revenue",
        f"total_revenue = {REVENUE}.sum()",
        into="total_revenue",
    ),
    one(
        "pandas-04",
        "pandas",
        SALES,
        "Add a column revenue to sales, which is units times Unit Price",
        f"sales['revenue'] = {REVENUE}",
        into="sales",
        changes=("sales",),
    ),
    one(
        "pandas-05",
        "pandas",
        SALES,
        "show the orders with more than 2 units from the North region",
        "sales[(sales['units'] > 2) & (sales['Region'] == 'North')]",
    ),
    one("pandas-06", "pandas", SALES, "average unit price by product", "sales.groupby('Product')['Unit Price'].mean()"),
    one(
        "pandas-07",
        "pandas",
        SALES,
        "a table of revenue with one row per region and one column per product, as pivot",
        f"x = sales.assign(r={REVENUE})\n"
        "pivot = x.pivot_table(index='Region', columns='Product', values='r', aggfunc='sum')",
        into="pivot",
        also=(
            f"x = sales.assign(r={REVENUE})\n"
            "x.pivot_table(index='Region', columns='Product', values='r', aggfunc='sum', fill_value=0)",
        ),
    ),
    one("pandas-08", "pandas", PATIENTS, "how many missing values does each column have?", "patients.isna().sum()"),
    one(
        "pandas-09", "pandas", PATIENTS, "mean age of the patients, ignoring the missing ones", "patients['age'].mean()"
    ),
    one(
        "pandas-10",
        "pandas",
        PATIENTS,
        "fill the missing ages in patients with the median age",
        "patients['age'] = patients['age'].fillna(patients['age'].median())",
        into="patients",
        changes=("patients",),
    ),
    one(
        "pandas-11",
        "pandas",
        PATIENTS,
        "a new table complete with only the patients where nothing is missing",
        "complete = patients.dropna()",
        into="complete",
    ),
    one(
        "pandas-12",
        "pandas",
        PATIENTS,
        "which ward has the most patients?",
        "patients['ward'].value_counts().idxmax()",
    ),
    one(
        "pandas-13",
        "pandas",
        PATIENTS,
        "mean weight for men and women",
        "patients.groupby('sex')['Weight (kg)'].mean()",
    ),
    one(
        "pandas-14",
        "pandas",
        STUDENTS,
        "sort the students by math score, best first",
        "students.sort_values('math', ascending=False)",
        ordered=True,
        also=("students.sort_values('math', ascending=False)[['name', 'math']]",),
    ),
    one(
        "pandas-15",
        "pandas",
        STUDENTS,
        "names of the students who have at least 60 in both subjects, as a list called passed",
        "passed = students[(students.math >= 60) & (students.physics >= 60)].name.tolist()",
        into="passed",
    ),
    one(
        "pandas-16",
        "pandas",
        STUDENTS,
        "correlation between math and physics",
        "students.math.corr(students.physics)",
        also=("students[['math', 'physics']].corr()",),
    ),
    one(
        "pandas-17",
        "pandas",
        STUDENTS,
        "the best student in math of each class",
        "students.loc[students.groupby('class').math.idxmax(), ['class', 'name']]",
        also=(
            "students.loc[students.groupby('class').math.idxmax()]",
            "students.loc[students.groupby('class').math.idxmax(), ['class', 'name', 'math']]",
            "students.loc[students.groupby('class').math.idxmax(), ['name', 'math']]",
            "students.loc[students.groupby('class').math.idxmax(), 'name'].tolist()",
        ),
    ),
    one(
        "pandas-18",
        "pandas",
        STUDENTS,
        "reshape students to long form with columns name, subject and score, as long",
        "long = students.melt(id_vars='name', value_vars=['math', 'physics'], var_name='subject', value_name='score')",
        into="long",
    ),
    one(
        "pandas-19",
        "pandas",
        CITIES,
        "total number of visitors as a number (the column is text with commas)",
        "cities['Visitors'].str.replace(',', '').astype(int).sum()",
    ),
    one(
        "pandas-20",
        "pandas",
        CITIES,
        "how many different cities are there? careful, same city is written differently",
        "cities['City '].str.strip().str.lower().nunique()",
    ),
    one(
        "pandas-21",
        "pandas",
        STUDENTS + "\nteachers = pd.DataFrame({'Class': ['10a', '10b'], 'teacher': ['Ms Roth', 'Mr Kim']})",
        "add each student's teacher: join students and teachers on the class, call it joined, "
        "with columns name, class, math, physics, teacher",
        "joined = students.merge(teachers, left_on='class', right_on='Class').drop(columns='Class')",
        into="joined",
    ),
    Task(
        "pandas-22",
        "pandas",
        SALES,
        (
            Step("revenue by region", f"{REVENUE}.groupby(sales['Region']).sum()"),
            Step("now by product", f"{REVENUE}.groupby(sales['Product']).sum()"),
        ),
    ),
    Task(
        "pandas-23",
        "pandas",
        SALES,
        (
            Step("mean units per product", "sales.groupby('Product')['units'].mean()"),
            Step("no, the median", "sales.groupby('Product')['units'].median()"),
            Step("only for the South", "sales[sales.Region == 'South'].groupby('Product')['units'].median()"),
        ),
    ),
    Task(
        "pandas-24",
        "pandas",
        PATIENTS,
        (
            Step(
                "which patients have no age? show their names",
                "patients[patients.age.isna()]['Name']",
                also=("patients[patients.age.isna()]", "patients[patients.age.isna()][['patient_id', 'Name']]"),
            ),
            Step(
                "drop those rows from patients",
                "patients = patients[patients.age.notna()]",
                into="patients",
                changes=("patients",),
            ),
            Step("what is the mean age by ward now?", "patients.groupby('ward')['age'].mean()"),
        ),
    ),
    Task(
        "pandas-25",
        "pandas",
        STUDENTS,
        (
            Step(
                "add a column total to students: math plus physics",
                "students['total'] = students.math + students.physics",
                into="students",
                changes=("students",),
            ),
            Step("who has the highest?", "students.loc[students.total.idxmax(), 'name']"),
        ),
    ),
    Task(
        "pandas-26",
        "pandas",
        STUDENTS
        + "\n"
        + "df2 = pd.DataFrame({'name': ['Zoe', 'Yan', 'Xia'], 'math': [90, 45, 75], 'physics': [70, 65, 100]})",
        (
            Step("average math score in students", "students.math.mean()"),
            Step("the same for df2", "df2.math.mean()"),
        ),
    ),
    Task(
        "pandas-27",
        "pandas",
        CITIES,
        (
            Step(
                "remove the spaces around the column names of cities",
                "cities.columns = cities.columns.str.strip()",
                into="'City' in cities.columns",
                changes=("cities",),
            ),
            Step(
                "clean the City column: no spaces around, first letter capital, the rest small",
                "cities['City'] = cities['City'].str.strip().str.title()",
                into="cities",
                changes=("cities",),
            ),
            Step("how many rows per city?", "cities['City'].value_counts()"),
        ),
    ),
    Task(
        "pandas-28",
        "pandas",
        SALES,
        (
            Step("top 3 orders by units", "sales.nlargest(3, 'units')", ordered=True),
            Step(
                "the bottom 2 instead",
                "sales.nsmallest(2, 'units')",
                ordered=True,
                also=(
                    "sales.sort_values('units').head(2)",
                    "sales.sort_values('units', ascending=False).tail(2)",
                    "sales.sort_values('units', kind='stable', ascending=False).tail(2)",
                    "sales.sort_values('units', kind='stable').head(2)",
                    "sales.iloc[[1, 5]]",
                    "sales.iloc[[5, 1]]",
                ),
            ),
        ),
    ),
    Task(
        "pandas-29",
        "pandas",
        PATIENTS,
        (
            Step(
                "number of patients per ward, call it counts", "counts = patients['ward'].value_counts()", into="counts"
            ),
            Step(
                "as percentages of all patients",
                "counts / counts.sum() * 100",
                also=(
                    "counts / counts.sum()",
                    "(counts / counts.sum() * 100).round(2)",
                    "(counts / counts.sum() * 100).round(1)",
                ),
            ),
        ),
    ),
    Task(
        "pandas-30",
        "pandas",
        STUDENTS,
        (
            Step("mean of math and physics per class", "students.groupby('class')[['math', 'physics']].mean()"),
            Step("round to whole numbers", "students.groupby('class')[['math', 'physics']].mean().round()"),
        ),
    ),
    Task(
        "pandas-31",
        "pandas",
        STUDENTS,
        (
            Step(
                "rename the column math to maths in students",
                "students = students.rename(columns={'math': 'maths'})",
                into="students['maths'].tolist() if 'math' not in students else None",
                changes=("students",),
            ),
            Step("how many students have more than 60 there?", "int((students['maths'] > 60).sum())"),
        ),
    ),
    Task(
        "pandas-32",
        "pandas",
        SALES,
        (
            Step("orders of lamps", "sales[sales['Product'] == 'Lamp']"),
            Step("only those with at least 3 units", "sales[(sales['Product'] == 'Lamp') & (sales['units'] >= 3)]"),
            Step("how many units is that altogether?", "8"),
        ),
    ),
]
