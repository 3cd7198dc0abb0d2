"""Lists, dictionaries, functions."""

# ruff: noqa: E501  (a line of code within a task is easier read whole)

from benchmarks.quality.task import Step, Task, one

NUMS = "nums = [12, 7, 3, 25, 8, 7, 19, 12, 3, 30]"
CART = "cart = [{'item': 'apple', 'qty': 3, 'price': 0.5}, {'item': 'bread', 'qty': 1, 'price': 2.8}, {'item': 'milk', 'qty': 2, 'price': 1.2}]"
STOCK = "stock = {'bolt': 120, 'nut': 35, 'screw': 0, 'washer': 80, 'nail': 0}"
PAIRS = "matrix = [[1, 2, 3], [4, 5, 6]]\nnames = ['ann', 'bob', 'cy']\nages = [31, 25, 40]"

TASKS = [
    one("python-01", "python", NUMS, "the even numbers in nums", "[n for n in nums if n % 2 == 0]"),
    one(
        "python-02",
        "python",
        NUMS,
        "remove the duplicates from nums but keep the order, as unique",
        "unique = list(dict.fromkeys(nums))",
        into="unique",
        ordered=True,
    ),
    one("python-03", "python", NUMS, "second largest number", "sorted(set(nums))[-2]"),
    one(
        "python-04",
        "python",
        NUMS,
        "how often does each number occur?",
        "from collections import Counter\ndict(Counter(nums))",
    ),
    one(
        "python-05",
        "python",
        NUMS,
        "running total of nums",
        "from itertools import accumulate\nlist(accumulate(nums))",
        ordered=True,
    ),
    one("python-06", "python", CART, "what does the whole cart cost?", "sum(i['qty'] * i['price'] for i in cart)"),
    one(
        "python-07",
        "python",
        CART,
        "name of the most expensive item per piece",
        "max(cart, key=lambda i: i['price'])['item']",
    ),
    one(
        "python-08",
        "python",
        STOCK,
        "which things are out of stock?",
        "[k for k, v in stock.items() if v == 0]",
        also=("{k: v for k, v in stock.items() if v == 0}",),
    ),
    one(
        "python-09",
        "python",
        STOCK,
        "sort stock by amount, largest first",
        "sorted(stock.items(), key=lambda kv: -kv[1])",
        ordered=True,
        changes=("stock",),
    ),
    one(
        "python-10",
        "python",
        PAIRS,
        "make a dict name -> age called age_of",
        "age_of = dict(zip(names, ages))",
        into="age_of",
    ),
    one(
        "python-11",
        "python",
        PAIRS,
        "transpose matrix",
        "[list(r) for r in zip(*matrix)]",
        ordered=True,
        changes=("matrix",),
    ),
    one(
        "python-12",
        "python",
        NUMS,
        "write a function is_prime(n) that says if n is a prime number",
        "def is_prime(n):\n    return n > 1 and all(n % d for d in range(2, int(n**0.5) + 1))",
        into="[bool(is_prime(n)) for n in (0, 1, 2, 3, 4, 17, 25, 97, 121)]",
        ordered=True,
    ),
    one(
        "python-13",
        "python",
        NUMS,
        "define a function fizz(n): returns 'Fizz' for multiples of 3, 'Buzz' for multiples of 5, "
        "'FizzBuzz' for both, else the number itself",
        "def fizz(n):\n    return 'FizzBuzz' if n % 15 == 0 else 'Fizz' if n % 3 == 0 else 'Buzz' if n % 5 == 0 else n",
        into="[str(fizz(n)) for n in (1, 3, 5, 9, 10, 15, 30, 31)]",
        ordered=True,
    ),
    one(
        "python-14",
        "python",
        PAIRS,
        "flatten matrix into one list flat",
        "flat = [x for r in matrix for x in r]",
        into="flat",
        ordered=True,
    ),
    Task(
        "python-15",
        "python",
        STOCK,
        (
            Step("total number of pieces in stock", "sum(stock.values())"),
            Step("add 50 screws to stock", "stock['screw'] += 50", into="stock", changes=("stock",)),
            Step("and the total now?", "sum(stock.values())"),
        ),
    ),
    Task(
        "python-16",
        "python",
        NUMS,
        (
            Step(
                "split nums into chunks of 3, as chunks",
                "chunks = [nums[i:i + 3] for i in range(0, len(nums), 3)]",
                into="chunks",
                ordered=True,
            ),
            Step("the sum of each", "[sum(c) for c in chunks]", ordered=True),
        ),
    ),
    Task(
        "python-17",
        "python",
        NUMS,
        (
            Step(
                "write a function celsius(f) that converts Fahrenheit to Celsius",
                "def celsius(f):\n    return (f - 32) * 5 / 9",
                into="[float(celsius(f)) for f in (32, 212, -40, 98.6)]",
                ordered=True,
            ),
            Step("apply it to 77", "celsius(77)"),
        ),
    ),
    Task(
        "python-18",
        "python",
        PAIRS,
        (
            Step("who is the oldest?", "names[ages.index(max(ages))]"),
            Step("and the youngest?", "names[ages.index(min(ages))]"),
        ),
    ),
    Task(
        "python-19",
        "python",
        CART,
        (
            Step(
                "add a key total to each item in cart: qty times price",
                "for i in cart:\n    i['total'] = i['qty'] * i['price']",
                into="cart",
                changes=("cart",),
            ),
            Step("which item has the biggest total?", "max(cart, key=lambda i: i['total'])['item']"),
        ),
    ),
    Task(
        "python-20",
        "python",
        NUMS,
        (
            Step("squares of the odd numbers in nums", "[n**2 for n in nums if n % 2]"),
            Step("and of the even ones", "[n**2 for n in nums if n % 2 == 0]"),
        ),
    ),
]
