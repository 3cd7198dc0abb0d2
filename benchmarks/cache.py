"""Does the engine's cache hold while a notebook grows? First to twentieth request.

    python -m benchmarks.cache [--model qwen2.5-coder-0.5b] [--requests 20]

Each round the user runs a cell of their own and asks for something. Counted are the tokens of each prompt, how many of
them the engine had to read (the rest came from its cache), and the time to the first token as the daemon saw it.
Beside it: what would have been read without a cache, which is the whole prompt each time.
"""

from __future__ import annotations

import argparse
import time

from benchmarks.asking import ask, notebook_shell, own_daemon
from benchmarks.common import note, report

TOPICS = ("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g")
WISHES = (
    "the mean of {} of penguins",
    "the median of {} of penguins",
    "the largest {} of penguins",
    "sort penguins by {}",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="qwen2.5-coder-0.5b")
    parser.add_argument("--requests", type=int, default=20)
    options = parser.parse_args()
    rows = []
    with own_daemon():
        shell = notebook_shell()
        for number in range(options.requests):
            shell.run_cell(f"step_{number} = {{'number': {number}, 'name': 'step {number}'}}", store_history=True)
            time.sleep(3.0)  # a user reads; the engine may read too
            topic, wish = TOPICS[number % 4], WISHES[number // 4 % 4]
            timings = ask(shell, wish.format(topic), f"--model {options.model}").candidates[0].candidate.timings
            rows.append(
                {
                    "request": number + 1,
                    "prompt_tokens": timings.prompt_tokens,
                    "read_tokens": timings.prompt_tokens - timings.cached_tokens,
                    "read_share": round(1 - timings.cached_tokens / max(timings.prompt_tokens, 1), 3),
                    "first_token_s": round(timings.first_token_ms / 1000, 2),
                }
            )
            note(str(rows[-1]))
    tenth = rows[min(9, len(rows) - 1)]
    later = rows[1:]
    report(
        "cache",
        rows,
        model=options.model,
        tenth_request_read_tokens=tenth["read_tokens"],
        tenth_request_prompt_tokens=tenth["prompt_tokens"],
        read_in_all=sum(int(row["read_tokens"]) for row in later),
        without_cache=sum(int(row["prompt_tokens"]) for row in later),
    )


if __name__ == "__main__":
    main()
