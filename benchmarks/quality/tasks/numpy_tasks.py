"""Arrays."""

from benchmarks.quality.task import Step, Task, one

GRID = "import numpy as np\ngrid = np.array([[4, -2, 7], [0, 5, -1], [3, 8, 6]])"
TEMPS = "import numpy as np\ntemps = np.array([21.5, 19.0, np.nan, 23.2, 25.1, np.nan, 18.4])"
SIGNAL = "import numpy as np\nt = np.linspace(0, 1, 11)\nsignal = np.round(np.sin(2 * np.pi * t) + 0.5 * t, 3)"

TASKS = [
    one("numpy-01", "numpy", GRID, "sum of each row of grid", "grid.sum(axis=1)", ordered=True),
    one(
        "numpy-02",
        "numpy",
        GRID,
        "replace the negative numbers in grid by 0, as a new array called clipped",
        "clipped = np.where(grid < 0, 0, grid)",
        into="clipped",
        ordered=True,
    ),
    one(
        "numpy-03",
        "numpy",
        GRID,
        "the largest value in grid and its row and column index",
        "(8, 2, 1)",
        also=("(8, (2, 1))", "('8', '(2, 1)')", "np.array([8, 2, 1])"),
    ),
    one("numpy-04", "numpy", GRID, "the determinant", "np.linalg.det(grid)"),
    one(
        "numpy-05",
        "numpy",
        GRID,
        "solve grid @ x = [1, 2, 3] for x",
        "x = np.linalg.solve(grid, [1, 2, 3])",
        into="x",
        ordered=True,
    ),
    one("numpy-06", "numpy", TEMPS, "mean temperature without the nans", "np.nanmean(temps)"),
    one("numpy-07", "numpy", TEMPS, "how many values are missing in temps?", "int(np.isnan(temps).sum())"),
    one(
        "numpy-08",
        "numpy",
        TEMPS,
        "convert temps to Fahrenheit into temps_f",
        "temps_f = temps * 9 / 5 + 32",
        into="temps_f",
        ordered=True,
    ),
    one(
        "numpy-09",
        "numpy",
        SIGNAL,
        "normalise signal to the range 0 to 1, call it scaled",
        "scaled = (signal - signal.min()) / (signal.max() - signal.min())",
        into="scaled",
        ordered=True,
    ),
    one(
        "numpy-10",
        "numpy",
        SIGNAL,
        "moving average of signal with a window of 3 (only full windows)",
        "np.convolve(signal, np.ones(3) / 3, mode='valid')",
        ordered=True,
    ),
    one(
        "numpy-11",
        "numpy",
        GRID,
        "subtract the column means from each column of grid",
        "grid - grid.mean(axis=0)",
        ordered=True,
    ),
    Task(
        "numpy-12",
        "numpy",
        GRID,
        (
            Step("mean of each column", "grid.mean(axis=0)", ordered=True),
            Step("and of each row", "grid.mean(axis=1)", ordered=True),
            Step("which row has the highest? its index", "int(grid.mean(axis=1).argmax())"),
        ),
    ),
    Task(
        "numpy-13",
        "numpy",
        TEMPS,
        (
            Step("remove the nans from temps and call it clean", "clean = temps[~np.isnan(temps)]", into="clean"),
            Step("standard deviation of it", "clean.std()", also=("clean.std(ddof=1)",)),
        ),
    ),
    Task(
        "numpy-14",
        "numpy",
        SIGNAL,
        (
            Step("at which t is signal largest?", "t[signal.argmax()]"),
            Step("and smallest?", "t[signal.argmin()]"),
        ),
    ),
    Task(
        "numpy-15",
        "numpy",
        GRID,
        (
            Step(
                "sort each row of grid ascending, as ordered",
                "ordered = np.sort(grid, axis=1)",
                into="ordered",
                ordered=True,
            ),
            Step("now each column of grid instead, show it", "np.sort(grid, axis=0)", ordered=True),
        ),
    ),
    Task(
        "numpy-16",
        "numpy",
        GRID,
        (
            Step("how many elements of grid are greater than 3?", "int((grid > 3).sum())"),
            Step("list them", "grid[grid > 3]"),
        ),
    ),
]
