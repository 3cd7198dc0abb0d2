"""The plain Python tasks in other words."""

WORDS: dict[str, tuple[str, ...]] = {
    "python-01": ("filter nums: only those divisible by two",),
    "python-02": ("unique = nums without repeats, in the order of first appearance",),
    "python-03": ("What is the second highest value in nums?",),
    "python-04": ("count the occurrences of every value of nums",),
    "python-05": ("cumulative sum of the list nums",),
    "python-06": ("total price of everything in cart (quantity times price)",),
    "python-07": ("which item in cart has the highest price?",),
    "python-08": ("list the items whose stock is zero",),
    "python-09": ("order the stock entries from the highest quantity to the lowest",),
    "python-10": ("build age_of, a dictionary that maps names to ages",),
    "python-11": ("swap rows and columns of matrix",),
    "python-12": ("I need is_prime(n), True for primes and False otherwise",),
    "python-13": ("write fizz(n), the FizzBuzz rule for one number: Fizz (3), Buzz (5), FizzBuzz (both), otherwise n",),
    "python-14": ("flat should be all numbers of matrix in a single list",),
    "python-15": ("sum up all amounts in stock", "50 more screws came in, update stock", "new sum?"),
    "python-16": ("chunks = nums in groups of three", "sum up every chunk"),
    "python-17": ("define celsius(f), Fahrenheit to Celsius", "what is it for 77?"),
    "python-18": ("name of the person with the highest age", "with the lowest?"),
    "python-19": ("every entry of cart should get a total (qty * price)", "name of the one with the highest total"),
    "python-20": ("square all odd nums", "do it for the even ones"),
}
