"""The scikit-learn tasks in other words."""

WORDS: dict[str, tuple[str, ...]] = {
    "sklearn-01": ("model = linear regression for price, with the inputs Area m2 and rooms",),
    "sklearn-02": ("How good (R2) is a linear regression with Area m2 as only input and price as target?",),
    "sklearn-03": ("use StandardScaler on the columns Area m2 and rooms and name the outcome scaled",),
    "sklearn-04": ("KMeans (k=3, random_state=0) on the 4 measurements in iris: sizes of the clusters",),
    "sklearn-05": (
        "reg should be a linear regression Area m2 -> price, fitted",
        "what does it say for an area of 100?",
    ),
    "sklearn-06": (
        "make X_train, X_test, y_train, y_test from iris (target column: target); test size 0.3, random_state=42",
        "now a DecisionTreeClassifier(random_state=0) called tree, trained",
        "its test accuracy",
    ),
    "sklearn-07": (
        "fit price by rooms linearly: what's the mean absolute error on this data?",
        "same for Area m2 as the input",
    ),
}
