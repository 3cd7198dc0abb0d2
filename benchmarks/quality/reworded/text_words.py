"""The text tasks in other words."""

WORDS: dict[str, tuple[str, ...]] = {
    "text-01": ("count the words of text",),
    "text-02": ("number of occurrences of the word the in text, ignoring case (not inside other words)",),
    "text-03": ("collect in long_words every lower-cased word of text longer than 3 letters, punctuation removed",),
    "text-04": ("find the email addresses in raw (skip the broken one)",),
    "text-05": ("How many lines of each level (ERROR, INFO, ...) are in log?",),
    "text-06": ("give me just the message text of each ERROR entry in log",),
    "text-07": ("people is 'Last, First' and messy. clean = the names as First Last, title case, trimmed",),
    "text-08": ("check whether word reads the same backwards (no spaces, no case)",),
    "text-09": ("number of vowels in word?",),
    "text-10": ("sentence with its words in reverse order",),
    "text-11": ("convert all names to snake_case",),
    "text-12": ("parse log into a DataFrame called logs: date, level, message", "count ERROR rows for each date"),
    "text-13": ("how many sentences does text have", "how many lines?"),
    "text-14": ("mails = list of the email addresses in raw", "now just their domains"),
    "text-15": ("list every word of sentence that has the maximum length", "and those with the minimum length"),
}
