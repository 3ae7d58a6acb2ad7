"""`python -m benchmarks [ROW …] [--quick]`: measure, print, and keep a whole measurement in benchmarks/RESULTS.md."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.bench import Bench, say
from benchmarks.figures import Table
from benchmarks.profile import Profiler
from benchmarks.rows import acks, answers
from benchmarks.stack import Stack

ROWS = {
    "ack-cost": acks.cost,
    "ack-latency": acks.latency,
    "faq": answers.faq,
    "model": answers.model,
}


def main() -> int:
    said = _arguments()
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    stack = Stack(folder)
    try:
        stack.start()
        tables = _measure(Bench(stack, said.quick, Profiler(said.profile)), said.rows or list(ROWS))
    finally:
        stack.stop()
    shutil.rmtree(folder)
    return 1 if any(table.missed for table in tables) else 0


def _measure(bench: Bench, names: list[str]) -> list[Table]:
    tables = []
    for name in names:
        say(f"{name} …")
        table = ROWS[name](bench)
        print(table.markdown(), flush=True)
        tables.append(table)
    return tables


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("rows", nargs="*", choices=[[], *ROWS], help="which rows; all of them if none is named")
    parser.add_argument("--quick", action="store_true", help="short runs, to see that it works")
    parser.add_argument("--profile", type=Path, metavar="FOLDER", help="py-spy's raw profiles go there")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
