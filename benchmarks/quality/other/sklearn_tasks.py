"""Models."""

from benchmarks.quality.task import Step, Task, one

FLATS = """\
import numpy as np
import pandas as pd

g = np.random.default_rng(14)
flats = pd.DataFrame({"size_m2": g.integers(28, 130, 45), "rooms": g.integers(1, 6, 45)})
flats["rent (EUR)"] = (210 + 9.5 * flats["size_m2"] + 35 * flats["rooms"] + g.normal(0, 60, 45)).round()
"""
BUOYS = """\
import numpy as np

g = np.random.default_rng(2)
pts = np.vstack([g.normal(c, 0.4, (15, 2)) for c in [(0, 0), (6, 1), (3, 7)]])
g.shuffle(pts)
"""
SEEDS = """\
import numpy as np
import pandas as pd

g = np.random.default_rng(31)
n = 120
seeds = pd.DataFrame({"area": g.normal(15, 2, n), "width": g.normal(3.3, 0.3, n), "crease": g.normal(5, 0.5, n)})
seeds["kind"] = np.where(seeds["area"] + 3 * seeds["width"] + g.normal(0, 1.5, n) > 25, "durum", "spelt")
"""
DIAGNOSES = """\
truth = ["flu", "cold", "cold", "flu", "none", "none", "cold", "flu", "flu", "none", "cold", "none", "flu", "cold"]
guess = ["flu", "cold", "flu", "flu", "none", "cold", "cold", "flu", "none", "none", "cold", "none", "flu", "cold"]
"""
SPLIT = (
    "from sklearn.model_selection import train_test_split\n"
    "from sklearn.neighbors import KNeighborsClassifier\n"
    "parts = train_test_split(seeds[['area', 'width', 'crease']], seeds['kind'], test_size=0.25, random_state=7)\n"
    "KNeighborsClassifier({k}).fit(parts[0], parts[2]).score(parts[1], parts[3])"
)

TASKS = [
    Task(
        "other-sklearn-01",
        "sklearn",
        FLATS,
        (
            Step(
                "fit a linear regression of the rent on size_m2 and rooms, all rows. What R2 do we get on them",
                "from sklearn.linear_model import LinearRegression\n"
                "model = LinearRegression().fit(flats[['size_m2', 'rooms']], flats['rent (EUR)'])\n"
                "model.score(flats[['size_m2', 'rooms']], flats['rent (EUR)'])",
            ),
            Step(
                "what rent does it predict for a 3 room flat with 72 m2?",
                "float(model.predict(pd.DataFrame({'size_m2': [72], 'rooms': [3]}))[0])",
            ),
        ),
    ),
    one(
        "other-sklearn-02",
        "sklearn",
        BUOYS,
        "Please group pts into 3 clusters with k-means and put the cluster number of each point in lab",
        "from sklearn.cluster import KMeans\nlab = KMeans(n_clusters=3, n_init=10, random_state=0).fit_predict(pts)",
        # Which cluster is called 0 is the algorithm's own business.
        into="[int(a == b) for a in list(lab) for b in list(lab)]",
        ordered=True,
    ),
    Task(
        "other-sklearn-03",
        "sklearn",
        SEEDS,
        (
            Step(
                "predict kind from the three measurements with k nearest neighbours (5). keep 25% of the rows as test, "
                "random_state=7, and tell me the accuracy on the test rows",
                SPLIT.format(k=5),
            ),
            Step("same with 3 neighbours", SPLIT.format(k=3)),
        ),
    ),
    one(
        "other-sklearn-04",
        "sklearn",
        DIAGNOSES,
        "confusion matrix of truth vs guess, order of the classes: none, cold, flu",
        "from sklearn.metrics import confusion_matrix\nconfusion_matrix(truth, guess, labels=['none', 'cold', 'flu'])",
        ordered=True,
        also=(
            "import pandas as pd\n"
            "from sklearn.metrics import confusion_matrix\n"
            "o = ['none', 'cold', 'flu']\n"
            "pd.DataFrame(confusion_matrix(truth, guess, labels=o), index=o, columns=o)",
        ),
    ),
    one(
        "other-sklearn-05",
        "sklearn",
        SEEDS,
        "I'd like the 5-fold cross-validated mean accuracy of a decision tree (max_depth 3, random_state 0) for kind",
        "from sklearn.model_selection import cross_val_score\n"
        "from sklearn.tree import DecisionTreeClassifier\n"
        "tree = DecisionTreeClassifier(max_depth=3, random_state=0)\n"
        "cross_val_score(tree, seeds[['area', 'width', 'crease']], seeds['kind'], cv=5).mean()",
    ),
]
