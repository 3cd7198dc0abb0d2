"""Arrays."""

from benchmarks.quality.task import Step, Task, one

PROBE = """\
import numpy as np

# water temperature every half hour, -999 = the probe was out of the water
probe = np.array([11.2, 11.4, -999, 11.9, 12.3, 12.1, -999, -999, 12.8, 13.0, 12.7, 12.2])
"""
HEIGHTS = """\
import numpy as np

elev = np.random.default_rng(3).permutation(48).reshape(6, 8) * 7 + 400   # metres, rows run north to south
"""
SPRING = """\
import numpy as np

load_N = np.array([0, 2, 4, 6, 8, 10])
ext_mm = np.array([0.1, 3.2, 6.3, 9.1, 12.4, 15.2])
"""
SOIL = """\
import numpy as np

rs = np.random.RandomState(8)
soil = np.column_stack([rs.normal(6.4, .5, 40), rs.normal(120, 30, 40), rs.uniform(0, 1, 40)])
names = ["pH", "nitrate", "moisture"]
"""
DICE = """\
import numpy as np

rng = np.random.default_rng(77)
throws = rng.integers(1, 7, size=(200, 2))
"""
WELLS = """\
import numpy as np

wells = np.array([[0.0, 0.0], [3.0, 4.0], [6.0, 1.0], [2.5, 7.5], [9.0, 9.0]])   # km east, km north
"""

TASKS = [
    one("other-numpy-01", "numpy", PROBE, "average of probe without the -999 entries", "probe[probe != -999].mean()"),
    Task(
        "other-numpy-02",
        "numpy",
        HEIGHTS,
        (
            Step(
                "row and column of the highest point in elev?",
                "tuple(int(i) for i in np.unravel_index(elev.argmax(), elev.shape))",
                ordered=True,
                also=("np.argwhere(elev == elev.max())",),
            ),
            Step(
                "and of the lowest",
                "tuple(int(i) for i in np.unravel_index(elev.argmin(), elev.shape))",
                ordered=True,
                also=("np.argwhere(elev == elev.min())",),
            ),
        ),
    ),
    Task(
        "other-numpy-03",
        "numpy",
        SPRING,
        (
            Step(
                "fit a straight line to extension as a function of load and show me slope and intercept",
                "[float(c) for c in np.polyfit(load_N, ext_mm, 1)]",
                also=("dict(zip(['slope', 'intercept'], np.polyfit(load_N, ext_mm, 1)))",),
            ),
            Step(
                "so how far would it stretch at 13 N according to that line?",
                "float(np.polyval(np.polyfit(load_N, ext_mm, 1), 13))",
            ),
        ),
    ),
    one(
        "other-numpy-04",
        "numpy",
        SOIL,
        "scale every column of soil to the range 0..1 (min becomes 0, max becomes 1), result in soil01",
        "soil01 = (soil - soil.min(axis=0)) / (soil.max(axis=0) - soil.min(axis=0))",
        into="soil01",
    ),
    one(
        "other-numpy-05",
        "numpy",
        DICE,
        "each row of throws is two dice. In what fraction of the throws is the sum at least 10?",
        "(throws.sum(axis=1) >= 10).mean()",
        also=("(throws.sum(axis=1) >= 10).mean() * 100",),
    ),
    one(
        "other-numpy-06",
        "numpy",
        WELLS,
        "distances between all pairs of wells as a matrix please",
        "np.linalg.norm(wells[:, None] - wells[None, :], axis=-1)",
    ),
    one(
        "other-numpy-07",
        "numpy",
        SPRING + "\nflow = np.array([3.1, 3.4, 2.9, 4.0, 4.6, 5.2, 4.9, 4.1, 3.8, 3.3])   # l/min, once a minute\n",
        "smooth flow with a moving average over 3 values, no padding so it gets shorter. name it smooth",
        "smooth = np.convolve(flow, np.ones(3) / 3, mode='valid')",
        into="smooth",
        ordered=True,
    ),
]
