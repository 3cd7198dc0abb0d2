WORDS: dict = {}
