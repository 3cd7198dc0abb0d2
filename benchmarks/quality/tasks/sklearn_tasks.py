"""Models: graded by their scores and predictions."""

# ruff: noqa: E501  (a line of code within a task is easier read whole)

from benchmarks.quality.task import Step, Task, one

HOUSES = """\
import pandas as pd
houses = pd.DataFrame({
    'Area m2': [50, 62, 75, 80, 94, 110, 120, 135, 150, 58],
    'rooms': [2, 2, 3, 3, 4, 4, 5, 5, 6, 2],
    'price': [155, 180, 228, 235, 280, 330, 352, 401, 455, 171],
})"""
FLOWERS = """\
from sklearn.datasets import load_iris
iris = load_iris(as_frame=True).frame"""
FIT = "from sklearn.linear_model import LinearRegression\n"
XY = "X = houses[['Area m2', 'rooms']]\ny = houses['price']\n"

TASKS = [
    one(
        "sklearn-01",
        "sklearn",
        HOUSES,
        "fit a linear regression of price on Area m2 and rooms, call it model",
        FIT + XY + "model = LinearRegression().fit(X, y)",
        into="list(model.coef_.ravel())",
        ordered=True,
    ),
    one(
        "sklearn-02",
        "sklearn",
        HOUSES,
        "R squared of a linear regression that predicts price from Area m2",
        FIT
        + "LinearRegression().fit(houses[['Area m2']], houses['price']).score(houses[['Area m2']], houses['price'])",
    ),
    one(
        "sklearn-03",
        "sklearn",
        HOUSES,
        "standardise Area m2 and rooms with sklearn's StandardScaler, result as scaled",
        "from sklearn.preprocessing import StandardScaler\nscaled = StandardScaler().fit_transform(houses[['Area m2', 'rooms']])",
        into="scaled",
    ),
    one(
        "sklearn-04",
        "sklearn",
        FLOWERS,
        "cluster the four measurement columns of iris with k-means, 3 clusters, random_state 0; "
        "how many flowers are in each cluster?",
        "from sklearn.cluster import KMeans\nk = KMeans(n_clusters=3, random_state=0, n_init=10).fit(iris.iloc[:, :4])\npd = __import__('pandas')\npd.Series(k.labels_).value_counts().rename_axis('cluster')",
        also=(
            "[62, 50, 38]",
            "[61, 50, 39]",
            "{0: 50, 1: 62, 2: 38}",
            "{0: 62, 1: 50, 2: 38}",
            "{0: 61, 1: 50, 2: 39}",
            "{0: 50, 1: 61, 2: 39}",
            "{0: 39, 1: 50, 2: 61}",
            "{0: 38, 1: 50, 2: 62}",
            "{0: 50, 1: 39, 2: 61}",
            "{0: 50, 1: 38, 2: 62}",
            "{0: 62, 1: 38, 2: 50}",
            "{0: 38, 1: 62, 2: 50}",
        ),
    ),
    Task(
        "sklearn-05",
        "sklearn",
        HOUSES,
        (
            Step(
                "train a linear regression for price from Area m2, as reg",
                FIT + "reg = LinearRegression().fit(houses[['Area m2']], houses['price'])",
                into="float(reg.coef_.ravel()[0])",
            ),
            Step("predict the price for 100 m2", "float(reg.intercept_ + 100 * reg.coef_[0])"),
        ),
    ),
    Task(
        "sklearn-06",
        "sklearn",
        FLOWERS,
        (
            Step(
                "split iris into train and test, 30 percent test, random_state 42, as X_train, X_test, y_train, y_test",
                "from sklearn.model_selection import train_test_split\nX_train, X_test, y_train, y_test = train_test_split(iris.drop(columns='target'), iris['target'], test_size=0.3, random_state=42)",
                into="(X_train.shape, X_test.shape, len(y_train), int(sum(y_test)))",
                ordered=True,
            ),
            Step(
                "fit a decision tree with random_state 0 on it, as tree",
                "from sklearn.tree import DecisionTreeClassifier\ntree = DecisionTreeClassifier(random_state=0).fit(X_train, y_train)",
                into="tree.get_n_leaves()",
            ),
            Step("accuracy on the test set?", "tree.score(X_test, y_test)"),
        ),
    ),
    Task(
        "sklearn-07",
        "sklearn",
        HOUSES,
        (
            Step(
                "mean absolute error of a linear regression of price on rooms, on the same data",
                FIT
                + "r = LinearRegression().fit(houses[['rooms']], houses['price'])\n(houses['price'] - r.predict(houses[['rooms']])).abs().mean()",
            ),
            Step(
                "and with Area m2 instead of rooms",
                FIT
                + "r = LinearRegression().fit(houses[['Area m2']], houses['price'])\n(houses['price'] - r.predict(houses[['Area m2']])).abs().mean()",
            ),
        ),
    ),
]
