"""Requests in Chinese."""

from benchmarks.quality.task import Step, Task, one

ACCOUNTS = """\
import pandas as pd

账本 = pd.DataFrame({
    "日期": pd.to_datetime(["2024-03-02", "2024-03-05", "2024-03-09", "2024-03-15",
                          "2024-04-01", "2024-04-03", "2024-04-20"]),
    "类别": ["买菜", "交通", "买菜", "水电", "买菜", "交通", "娱乐"],
    "金额（元）": [86.5, 30.0, 112.0, 215.3, 64.2, 18.0, 150.0],
})
"""
RIVER = """\
import matplotlib.pyplot as plt
import pandas as pd

river = pd.DataFrame({"日期": pd.date_range("2024-07-01", periods=8),
                      "水位(m)": [2.1, 2.3, 2.9, 3.6, 3.4, 3.0, 2.7, 2.5]})
"""
RUNNERS = """\
成绩 = {"李雷": 13.8, "韩梅梅": 14.6, "王强": 12.9, "赵敏": 13.2, "周杰": 15.1}  # 一百米，秒
"""

TASKS = [
    Task(
        "other-chinese-01",
        "chinese",
        ACCOUNTS,
        (
            Step("每个类别一共花了多少钱？", "账本.groupby('类别')['金额（元）'].sum()"),
            Step("只看三月的", "账本[账本['日期'].dt.month == 3].groupby('类别')['金额（元）'].sum()"),
        ),
    ),
    one(
        "other-chinese-02",
        "chinese",
        RIVER,
        "帮我画一下水位随日期变化的折线图",
        "plt.plot(river['日期'], river['水位(m)'])",
        figure=True,
    ),
    one(
        "other-chinese-03",
        "chinese",
        RUNNERS,
        "按成绩从快到慢给这几个人排个名次",
        "sorted(成绩, key=成绩.get)",
        ordered=True,
        also=(
            "sorted(成绩.items(), key=lambda x: x[1])",
            "import pandas as pd\npd.Series(成绩).rank()",
            "import pandas as pd\npd.Series(成绩).rank().sort_values()",
            "[(i, n) for i, n in enumerate(sorted(成绩, key=成绩.get), 1)]",
            "[(i, n, s) for i, (n, s) in enumerate(sorted(成绩.items(), key=lambda x: x[1]), 1)]",
        ),
    ),
]
