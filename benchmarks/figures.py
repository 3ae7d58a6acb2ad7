"""Measured figures, the bars they are held against, and the tables that show them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of all are not above; infinite for none."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else float("inf")


@dataclass(frozen=True)
class Figure:
    """One thing measured, once per run. Without bars it stands there for comparison."""

    name: str
    values: tuple[float, ...]
    unit: str = ""
    at_least: float | None = None
    goal: float | None = None
    more_is_better: bool = False

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def verdict(self) -> str:
        if self.at_least is None:
            return ""
        if self.goal is not None and self._reaches(self.goal):
            return "goal"
        return "holds" if self._reaches(self.at_least) else "MISSED"

    def _reaches(self, bar: float) -> bool:
        return self.median >= bar if self.more_is_better else self.median <= bar

    def cells(self) -> list[str]:
        spread = (
            f" ({_number(min(self.values))} – {_number(max(self.values))})"
            if len(self.values) > 1
            else ""
        )
        bars = [
            "" if bar is None else self._with_unit(_number(bar))
            for bar in (self.at_least, self.goal)
        ]
        return [self.name, *bars, f"{self._with_unit(_number(self.median))}{spread}", self.verdict]

    def _with_unit(self, number: str) -> str:
        return (
            f"{number}{self.unit}" if self.unit in ("x", "%") else f"{number} {self.unit}".rstrip()
        )


def _number(value: float) -> str:
    if math.isinf(value):
        return "never"
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:.{digits}f}"


@dataclass
class Table:
    """What one row of the benchmark found. `how` tells a reader what was done."""

    title: str
    how: str
    figures: list[Figure] = field(default_factory=list)

    def add(
        self,
        name: str,
        values: float | Sequence[float],
        unit: str = "",
        *bars: float,
        more_is_better: bool = False,
    ) -> None:
        """`bars`: at least, goal."""
        kept = tuple(values) if isinstance(values, Sequence) else (values,)
        at_least, goal = (*bars, None, None)[:2]
        self.figures.append(Figure(name, kept, unit, at_least, goal, more_is_better))

    @property
    def missed(self) -> list[Figure]:
        return [figure for figure in self.figures if figure.verdict == "MISSED"]

    def markdown(self) -> str:
        lines = [
            f"## {self.title}",
            "",
            self.how,
            "",
            "| | at least | goal | measured | |",
            "|---|---|---|---|---|",
        ]
        lines += [f"| {' | '.join(figure.cells())} |" for figure in self.figures]
        return "\n".join([*lines, ""])
