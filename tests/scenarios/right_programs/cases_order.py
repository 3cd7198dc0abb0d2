"""Best, top, first, latest, typical, average, total, how many: words that say one thing and are taken for another."""

from __future__ import annotations

from tests.scenarios.right_programs.cases_spaces import Case

CASES = (
    Case("rank the models by rmse, best first", "models.sort_values('rmse')", "lab"),
    Case(
        "which models have the top errors in the good sense, i.e. winner at the head of the list",
        "models.sort_values('rmse')['model'].tolist()",
        "lab",
    ),
    Case("top 3 runners of the race", "runs.nsmallest(3, 'time')", "lab"),
    Case("Who got first place?", "runs.loc[runs['place'] == 1, 'runner'].item()", "lab"),
    Case("the fastest two, just their names", "runs.sort_values('time')['runner'].head(2).tolist()", "lab"),
    Case("leaderboard for the golf tournament please", "golf.groupby('player')['score'].sum().sort_values()", "lab"),
    Case("every player's best round of golf", "golf.groupby('player')['score'].min()", "lab"),
    Case(
        "order the pages by how quick they are, quickest on top",
        "visits.groupby('page')['latency_ms'].mean().sort_values()",
        "shop",
    ),
    Case("highest ranked club", "runs.sort_values('place').iloc[0]['club']", "lab"),
    Case("I want the best price we ever had for each product", "orders.groupby('product')['price'].min()", "shop"),
    Case(
        "cheapest first, and where it's the same price the newest up top",
        "orders.sort_values(['price', 'date'], ascending=[True, False])",
        "shop",
    ),
    Case(
        "latest first, keep one row per user",
        "orders.sort_values('date', ascending=False).drop_duplicates('user')",
        "shop",
    ),
    Case(
        "for every user I only need their most recent order",
        "orders.loc[orders.groupby('user')['date'].idxmax()]",
        "shop",
    ),
    Case(
        "drop the repeat visits, whichever came last stays",
        "visits.sort_values('at').drop_duplicates('user', keep='last')",
        "shop",
    ),
    Case(
        "what does a typical employee earn? (not the average, a few bosses skew it)", "emp['salary'].median()", "office"
    ),
    Case(
        "not the mean please, the middle salary in each department", "emp.groupby('dept')['salary'].median()", "office"
    ),
    Case("on average, how far are the ages spread out?", "emp['age'].std()", "office"),
    Case(
        "How far off the mean is a salary, on average?",
        "(emp['salary'] - emp['salary'].mean()).abs().mean()",
        "office",
    ),
    Case(
        "what do the dept names mean? spell them out",
        "emp['dept'].replace({'IT': 'Information Technology', 'HR': 'Human Resources'})",
        "office",
    ),
    Case("what I mean is people older than forty", "emp[emp['age'] > 40]", "office"),
    Case("highest error last", "models.sort_values(by='rmse')", "lab"),
    Case("from worst to best by accuracy", "models.sort_values('accuracy', ignore_index=True)", "lab"),
    Case("give me the slowest page's name", "visits.loc[visits['latency_ms'].idxmax(), 'page']", "shop"),
    Case("which time is the fastest", "runs['time'].min()", "lab"),
    Case("what position is the largest at", "int(np.argmax(signal))", "arrays"),
    Case("Which salary is the highest one we pay?", "emp['salary'].max()", "office"),
    Case("what's the top age around here", "int(emp['age'].max())", "office"),
    Case("how many people work where", "emp['city'].value_counts()", "office"),
    Case(
        "so how many did we sell, roughly, of the different products", "orders.groupby('product')['qty'].sum()", "shop"
    ),
    Case(
        "how many days had everybody been with us at new year 2025",
        "(pd.Timestamp('2025-01-01') - emp['hired']).dt.days",
        "office",
    ),
    Case("work out the total for the lines of the order book", "orders['qty'] * orders['price']", "shop"),
    Case("total so far after each sale", "(orders['qty'] * orders['price']).cumsum()", "shop"),
    Case("how many years are left until they turn 65?", "65 - emp['age']", "office"),
    Case(
        "what percentage is sent, open and so on",
        "orders['status'].value_counts(normalize=True).mul(100).round(1)",
        "shop",
    ),
    Case("by how much does the price move from sale to sale, in percent", "orders['price'].pct_change() * 100", "shop"),
    Case("what share of the staff is in IT?", "(emp['dept'] == 'IT').mean()", "office"),
    Case("percentile of everyone's pay", "emp['salary'].rank(pct=True)", "office"),
    Case("Lowest number of strokes wins, sort accordingly.", "golf.sort_values('score')", "lab"),
    Case("bottom half of the pay list", "emp[emp['salary'] <= emp['salary'].median()]", "office"),
    Case("list everybody, youngest at the top, ties by name", "emp.sort_values(['age', 'name'])", "office"),
    Case(
        "who improved most? biggest drop in pressure leads",
        "trials.assign(drop=trials['before'] - trials['after']).sort_values('drop', ascending=False)",
        "lab",
    ),
    Case(
        "A low score is good. So who is the best player overall?",
        "golf.groupby('player')['score'].sum().idxmin()",
        "lab",
    ),
    Case("sum up the model comparison for me", "models.describe()", "lab"),
    Case(
        "how much more does IT make than HR, going by the middle value?",
        "middle = emp.groupby('dept')['salary'].median()\nmiddle['IT'] - middle['HR']",
        "office",
    ),
    Case("first one hired in every city", "emp.sort_values('hired').groupby('city')['name'].first()", "office"),
    Case(
        "number one of each club",
        "runs.loc[runs.groupby('club')['time'].idxmin(), ['club', 'runner']]",
        "lab",
    ),
    Case("podium!", "runs[runs['place'] <= 3].sort_values('place')", "lab"),
    Case(
        "Rank 1 should be the quickest model to train",
        "models['seconds'].rank().astype(int).rename('rank')",
        "lab",
    ),
    Case("most patients got better?", "(trials['after'] < trials['before']).mean() > 0.5", "lab"),
    Case("the average joe's department, i.e. where most people sit", "emp['dept'].mode().tolist()", "office"),
    Case(
        "which plot is bigger than average and by how much",
        "big = plots[plots['area'] > plots['area'].mean()]\nbig.assign(extra=big['area'] - plots['area'].mean())",
        "shop",
    ),
    Case("smallest gap between two neighbouring finishing times", "runs['time'].sort_values().diff().min()", "lab"),
    Case("show me the max three times only", "runs.nlargest(3, 'time')['time'].tolist()", "lab"),
)
