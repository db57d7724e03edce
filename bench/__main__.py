"""`python -m bench <word>`: seed, verify, run, plans, cancel, ingest, or all of these.

`pages`, `hot_path`, `profile`, `day` and `partitions` are asked by name. `docs` measures nothing:
it writes the results that were kept into the pages of the documentation.

Each word prints one table and keeps it as JSON in var/bench/. The exit status is 1 when a
goal is not met, so that a pipeline fails.
"""

from __future__ import annotations

import argparse
import importlib
import sys

from bench import database, docs

WORDS = ["verify", "run", "plans", "cancel", "ingest"]
BY_NAME = ["pages", "hot_path", "profile", "day", "partitions"]


def main() -> int:
    options = _options()
    if options.word == "docs":
        docs.write()
        return 0
    size = database.prepare(options.word, options.size)
    # Imported late: the modules import models, which need the settings that were just chosen.
    if size is None:
        share = options.share if options.word == "seed" else None
        size = importlib.import_module("bench.seed").fill(options.size or "S", share or 1)
    words = WORDS if options.word == "all" else [options.word]
    met = True
    for word in words:
        if word != "seed":
            met &= importlib.import_module(f"bench.{word}").measure(size, options)
        if word == "verify" and not met:
            break  # do not measure servers that give different answers
    return 0 if met else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("word", choices=["seed", *WORDS, *BY_NAME, "all", "docs"])
    parser.add_argument(
        "--size", choices=["T", "S", "M", "L"], help="0.5, 20 or 60 million documents"
    )
    parser.add_argument(
        "--share", type=float, help="of the documents of `seed` (1) or of the `day` (0.1)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="rounds of `run`, interleaved")
    parser.add_argument("--seconds", type=float, default=0.8, help="of each measurement of `run`")
    parser.add_argument("--threads", type=int, default=8, help="blocking threads of each server")
    parser.add_argument("--calls", type=int, default=10_000, help="of `cancel`, after the commit")
    parser.add_argument("--documents", type=int, help="of `ingest` (5,000), `pages` (200,000)")
    parser.add_argument("--companies", type=int, default=5_000, help="of the office of `pages`")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
