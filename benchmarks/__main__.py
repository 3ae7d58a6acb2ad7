"""`python -m benchmarks [ROW …] [--quick]`: measure, print, and keep a whole measurement in
benchmarks/RESULTS.md.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import machine
from benchmarks.bench import Bench, say
from benchmarks.figures import Table
from benchmarks.profile import Profiler
from benchmarks.rows import acks, answers, endurance, faults, limits, memory, pages
from benchmarks.stack import Stack

RESULTS = Path(__file__).with_name("RESULTS.md")
ROWS = {
    "ack-cost": acks.cost,
    "ack-latency": acks.latency,
    "faq": answers.faq,
    "model": answers.model,
    "lognormal": limits.lognormal,
    "rate": limits.rate,
    "held": memory.held,
    "worker-memory": memory.worker,
    "embedded-memory": memory.embedded,
    "database-away": faults.database_away,
    "worker-killed": faults.worker_killed,
    "endurance": endurance.everything,
    "outages": endurance.outages,
    "pages": pages.pages,
}


def main() -> int:
    said = _arguments()
    on = machine.description()
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    stack = Stack(folder)
    say(f"logs in {folder}")
    try:
        stack.start()
        tables = _measure(Bench(stack, said.quick, Profiler(said.profile)), said.rows or list(ROWS))
    finally:
        stack.stop()
    shutil.rmtree(folder)
    if not said.rows and not said.profile:
        RESULTS.write_text(_report(on, tables, said.quick), encoding="utf-8")
        say(f"kept in {RESULTS}")
    missed = [f"{table.title}: {figure.name}" for table in tables for figure in table.missed]
    say(*(f"MISSED {name}\n" for name in missed), end="")
    return 1 if missed else 0


def _measure(bench: Bench, names: Sequence[str]) -> list[Table]:
    tables = []
    for name in names:
        started, neighbours = time.monotonic(), machine.Neighbours(bench.stack.server_pids)
        say(f"{name} …")
        table = ROWS[name](bench)
        table.how += f" Other programs took {neighbours.share():.0%} of the cores meanwhile."
        print(table.markdown(), flush=True)
        say(f"{name}: {time.monotonic() - started:.0f} s")
        tables.append(table)
    return tables


def _report(on: str, tables: Sequence[Table], is_quick: bool) -> str:
    explained = (
        "Written by `make bench`. Load client, fakes, servers and what is measured share the "
        "cores, so times are worse "
        "than on machines of their own; ratios and CPU per message carry further. More than one "
        "run: the median, then "
        "the lowest and the highest."
    )
    if is_quick:
        explained += " This was a quick run: each row once, and short."
    return "\n".join(
        ["# Measured", "", explained, "", on, "", *(table.markdown() for table in tables)]
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "rows", nargs="*", metavar="ROW", help=f"all of them if none is named: {', '.join(ROWS)}"
    )
    parser.add_argument("--quick", action="store_true", help="short runs, each once")
    parser.add_argument(
        "--profile", type=Path, metavar="FOLDER", help="py-spy's raw profiles go there"
    )
    said = parser.parse_args()
    if unknown := set(said.rows) - set(ROWS):
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    return said


if __name__ == "__main__":
    sys.exit(main())
