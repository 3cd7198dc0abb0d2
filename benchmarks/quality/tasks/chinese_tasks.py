"""Requests in Chinese."""

from benchmarks.quality.task import Step, Task, one
from benchmarks.quality.tasks.frames import PATIENTS, SALES, STUDENTS

SHOP = """\
import pandas as pd
订单 = pd.DataFrame({
    '城市': ['北京', '上海', '北京', '广州', '上海'],
    '金额': [120.0, 80.5, 60.0, 200.0, 99.5],
    '日期': ['2024-01-03', '2024-01-20', '2024-02-11', '2024-02-14', '2024-03-01'],
})"""
NUMS = "nums = [5, 3, 9, 1, 7, 3]"
BARS = "import matplotlib.pyplot as plt\n"

TASKS = [
    one("chinese-01", "chinese", SHOP, "每个城市的总金额是多少？", "订单.groupby('城市')['金额'].sum()"),
    one("chinese-02", "chinese", SHOP, "金额大于90的订单", "订单[订单['金额'] > 90]"),
    one(
        "chinese-03",
        "chinese",
        NUMS,
        "把 nums 从大到小排序",
        "sorted(nums, reverse=True)",
        ordered=True,
        changes=("nums",),
    ),
    one("chinese-04", "chinese", STUDENTS, "数学成绩的平均分", "students['math'].mean()"),
    one("chinese-05", "chinese", PATIENTS, "每一列有多少缺失值？", "patients.isna().sum()"),
    one(
        "chinese-06",
        "chinese",
        STUDENTS,
        "画出每个学生数学成绩的柱状图",
        BARS + "plt.bar(students.name, students.math)",
        figure=True,
    ),
    one(
        "chinese-07", "chinese", NUMS, "用一句话回答：中国的首都是哪里？", says=(("北京", "Beijing"),), answer="北京。"
    ),
    one(
        "chinese-08",
        "chinese",
        NUMS,
        "写一个函数 square_sum(xs)，返回列表中各数的平方和",
        "def square_sum(xs):\n    return sum(x * x for x in xs)",
        into="[square_sum(v) for v in ([1, 2, 3], [0], [-2, 5])]",
        ordered=True,
    ),
    Task(
        "chinese-09",
        "chinese",
        SALES,
        (
            Step("每个地区卖了多少件（units）？", "sales.groupby('Region')['units'].sum()"),
            Step("按产品呢？", "sales.groupby('Product')['units'].sum()"),
        ),
    ),
    Task(
        "chinese-10",
        "chinese",
        NUMS,
        (
            Step("nums 的平均值", "sum(nums) / len(nums)"),
            Step("不对，我要中位数", "sorted(nums)[2] / 2 + sorted(nums)[3] / 2"),
        ),
    ),
    Task(
        "chinese-11",
        "chinese",
        SHOP,
        (
            Step(
                "在订单里加一列“税”，等于金额的 10%", "订单['税'] = 订单['金额'] * 0.1", into="订单", changes=("订单",)
            ),
            Step("税一共多少？", "订单['税'].sum()"),
        ),
    ),
    Task(
        "chinese-12",
        "chinese",
        STUDENTS,
        (
            Step("每个班物理的最高分", "students.groupby('class')['physics'].max()"),
            Step("最低分呢？", "students.groupby('class')['physics'].min()"),
            Step("数学也一样，最低分", "students.groupby('class')['math'].min()"),
        ),
    ),
    Task(
        "chinese-13",
        "chinese",
        SHOP,
        (
            Step("哪个城市的订单最多？列出每个城市的订单数", "订单['城市'].value_counts()"),
            Step("画成饼图", BARS + "s = 订单['城市'].value_counts()\nplt.pie(s, labels=s.index)", figure=True),
        ),
    ),
    Task(
        "chinese-14",
        "chinese",
        NUMS,
        (
            Step("nums 里大于 3 的数", "[n for n in nums if n > 3]"),
            Step("它们的和是多少？", "21"),
        ),
    ),
]
