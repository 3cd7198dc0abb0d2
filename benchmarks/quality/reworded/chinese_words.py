"""The Chinese tasks in other words."""

WORDS: dict[str, tuple[str, ...]] = {
    "chinese-01": ("按城市汇总金额",),
    "chinese-02": ("筛选出金额超过 90 的行",),
    "chinese-03": ("请将 nums 降序排列",),
    "chinese-04": ("math 这一列的均值是多少",),
    "chinese-05": ("统计 patients 各列的空值个数",),
    "chinese-06": ("用柱状图显示各学生的 math 分数",),
    "chinese-07": ("中国首都叫什么？请用文字回答",),
    "chinese-08": ("定义 square_sum(xs)：把 xs 里每个数平方后求和",),
    "chinese-09": ("各个 Region 的 units 总和", "换成各个 Product"),
    "chinese-10": ("求 nums 的均值", "我说的是中位数"),
    "chinese-11": ("给订单增加新列“税”：金额乘以 0.1", "求税的总和"),
    "chinese-12": ("各班 physics 最高是多少分", "那最低呢？", "math 的最低分，同样按班"),
    "chinese-13": ("数一数每个城市有几笔订单", "把它画成饼图"),
    "chinese-14": ("从 nums 中选出比 3 大的数字", "求这些数的总和"),
}
