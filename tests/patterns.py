"""Every regular expression of the product, and texts made to slow one down.

A pattern is slow where it reads the same characters again from another start, or gives back what it
took to try another way. Both show with its own beginning, then a few characters of its classes many
times, then one that fails.
"""

from __future__ import annotations

import ast
import importlib
import itertools
import pkgutil
import random
import re
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from re import _constants as ops
from re import _parser as sre
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES: tuple[str, ...] = tuple(PROJECT["tool"]["importlinter"]["root_packages"])

# The functions of `re` that take a pattern, and the classes of Django that make one.
TAKE_A_PATTERN = frozenset(
    [
        "compile",
        "search",
        "match",
        "fullmatch",
        "split",
        "findall",
        "finditer",
        "sub",
        "subn",
        "template",
    ]
)

# A pattern that is slow with so little text is exponential; with this much it is worse than
# quadratic.
FEW_CHARACTERS = (10, 14, 18, 22)
SOME_CHARACTERS = (48, 192)
SLOW_SECONDS = 0.005
# Between these two a linear pattern costs 16 times as much, a quadratic one 256 times.
FEW, MANY = 192, 3072
SUSPECT_GROWTH = 40
SUSPECT_SECONDS = 0.001
MEASURED_SECONDS = 0.004
LONGEST_TEXT = 100_000
# A doubling of the text may cost this much more: 2 is linear, 4 is quadratic.
MOST_PER_DOUBLING = 2**1.5
# Letters of which all words of up to four are tried; all others are tried alone and in a sample of
# words.
BUSIEST_LETTERS = 4
LONGEST_UNIT = 4
SAMPLED_UNITS = 100
MOST_BEGINNINGS = 5
MOST_REPEATS = 1_000_000

Pattern = re.Pattern[Any]


# --- Which patterns there are ---


def modules() -> Iterator[ModuleType]:
    for name in PACKAGES:
        package = importlib.import_module(name)
        yield package
        for found in pkgutil.walk_packages(package.__path__, f"{name}."):
            if not found.name.endswith("__main__"):
                yield importlib.import_module(found.name)


def patterns_in(module: ModuleType) -> Iterator[tuple[str, Pattern]]:
    """The compiled patterns that a module holds, alone, in containers, in classes, or inside a
    validator.
    """
    seen: set[int] = set()
    for name, value in vars(module).items():
        if not name.startswith("__"):
            yield from _patterns_of(f"{module.__name__}.{name}", value, module.__name__, seen)


def _patterns_of(
    name: str, value: object, module: str, seen: set[int]
) -> Iterator[tuple[str, Pattern]]:
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, re.Pattern):
        yield name, value
        return
    for part, inner in _inside(value, module):
        yield from _patterns_of(f"{name}.{part}", inner, module, seen)


def _inside(value: object, module: str) -> Iterable[tuple[object, object]]:
    if isinstance(value, dict):
        return list(value.items())
    if isinstance(value, (list, tuple, set, frozenset)):
        return list(enumerate(value))
    is_ours = (
        getattr(type(value), "__module__", "") in PACKAGES
        or getattr(value, "__module__", "") == module
    )
    if is_ours and hasattr(value, "__dict__"):
        return list(vars(value).items())
    return ()


@dataclass(frozen=True)
class Call:
    """One place in the source that hands a pattern to `re` or to Django."""

    place: str
    line: int
    text: str | bytes | None  # None: it is put together while the program runs.
    flags: int
    at_import: bool

    def __str__(self) -> str:
        return f"{self.place}:{self.line}"


def calls() -> Iterator[Call]:
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            yield from calls_in(file.read_text(encoding="utf-8"), str(file.relative_to(ROOT)))


def calls_in(source: str, place: str) -> Iterator[Call]:
    tree = ast.parse(source)
    _refuse_other_names(tree, place)
    inner = {id(node) for function in _functions(tree) for node in _body_of(function)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _takes_a_pattern(node.func):
            yield _call(node, place, at_import=id(node) not in inner)


def _refuse_other_names(tree: ast.Module, place: str) -> None:
    """A pattern behind another name would be hidden from this search."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.module != "re", f"{place}: write `import re`"
        if isinstance(node, ast.Import):
            for name in node.names:
                assert name.name != "regex", f"{place}: this search knows `re` only"
                assert name.name != "re" or name.asname is None, f"{place}: write `import re`"
        if isinstance(node, ast.keyword) and node.arg:
            assert not node.arg.endswith(("__regex", "__iregex")), (
                f"{place}: a pattern for the database"
            )


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield node


def _body_of(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> Iterator[ast.AST]:
    body = [function.body] if isinstance(function, ast.Lambda) else function.body
    for statement in body:
        yield from ast.walk(statement)


def _takes_a_pattern(function: ast.expr) -> bool:
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        return function.value.id == "re" and function.attr in TAKE_A_PATTERN
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in ("RegexValidator", "RegexField", "re_path")


def _call(node: ast.Call, place: str, *, at_import: bool) -> Call:
    known = {keyword.arg: keyword.value for keyword in node.keywords}
    pattern = node.args[0] if node.args else known.get("pattern") or known.get("regex")
    flags = known.get("flags")
    is_compile = isinstance(node.func, ast.Attribute) and node.func.attr == "compile"
    if is_compile and len(node.args) > 1:
        flags = node.args[1]
    is_constant = isinstance(pattern, ast.Constant) and isinstance(pattern.value, (str, bytes))
    text = pattern.value if is_constant else None
    return Call(place, node.lineno, text, _flags(flags), at_import)


def _flags(node: ast.expr | None) -> int:
    return int(eval(ast.unparse(node), {"re": re})) if node is not None else 0


# --- What a pattern is made of ---

Atom = Callable[[str], bool]

_CATEGORIES: dict[Any, Atom] = {
    ops.CATEGORY_DIGIT: str.isdigit,
    ops.CATEGORY_NOT_DIGIT: lambda char: not char.isdigit(),
    ops.CATEGORY_SPACE: str.isspace,
    ops.CATEGORY_NOT_SPACE: lambda char: not char.isspace(),
    ops.CATEGORY_WORD: lambda char: char.isalnum() or char == "_",
    ops.CATEGORY_NOT_WORD: lambda char: not (char.isalnum() or char == "_"),
}
# What stands for every other character: letters, digits, spaces, marks of any language.
_COMMON = " \n\ta1Z_*-.@<>()[]{}中。」\"'!?#/:,\x00\x7f~`|=&;"
_REPEATS = (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT)


@dataclass
class Anatomy:
    """The single-character parts of a pattern, which of them repeat, and what
    leads to each repeat.
    """

    atoms: list[Atom]
    repeated: list[Atom]
    letters: set[str]
    beginnings: list[str]
    bodies: list[str]


def anatomy(pattern: Pattern) -> Anatomy:
    found = Anatomy([], [], set(_COMMON), [""], [])
    text = pattern.pattern
    if isinstance(text, bytes):
        text = text.decode("latin-1")
    tree = sre.parse(
        text, pattern.flags & ~re.UNICODE if isinstance(pattern.pattern, bytes) else pattern.flags
    )
    _walk(tree, "", found, repeats=False)
    if isinstance(pattern.pattern, bytes):
        found.letters = {letter for letter in found.letters if ord(letter) < 256}
    return found


def _walk(tree: Any, before: str, found: Anatomy, *, repeats: bool) -> str:
    """Returns a short text that leads through `tree`."""
    said = before
    for op, av in tree:
        said += _walk_one(op, av, said, found, repeats=repeats)
    return said.removeprefix(before)


def _walk_one(op: Any, av: Any, before: str, found: Anatomy, *, repeats: bool) -> str:
    if op in (ops.LITERAL, ops.NOT_LITERAL, ops.ANY, ops.IN):
        return _add_atom(op, av, found, repeats=repeats)
    if op in _REPEATS:
        least, most, inner = av
        endless = most > 8
        if endless:
            found.beginnings.append(before)
        sample = _walk(inner, before, found, repeats=repeats or endless)
        if endless:
            found.bodies.append(sample)
        return sample * max(least, 1)
    if op is ops.BRANCH:
        samples = [_walk(branch, before, found, repeats=repeats) for branch in av[1]]
        found.bodies.extend(samples)
        return min(samples, key=len)
    if op is ops.SUBPATTERN:
        return _walk(av[3], before, found, repeats=repeats)
    if op is ops.ATOMIC_GROUP:
        return _walk(av, before, found, repeats=repeats)
    if op in (ops.ASSERT, ops.ASSERT_NOT):
        _walk(av[1], before, found, repeats=repeats)
    return ""  # An assertion, a position or a back-reference takes nothing of its own.


def _add_atom(op: Any, av: Any, found: Anatomy, *, repeats: bool) -> str:
    atom, own = _atom(op, av)
    found.letters.update(own)
    found.atoms.append(atom)
    if repeats:
        found.repeated.append(atom)
    return next((letter for letter in [*own, *_COMMON] if atom(letter)), "")


def _atom(op: Any, av: Any) -> tuple[Atom, list[str]]:
    """Whether a character fits, and the characters that it names."""
    if op is ops.ANY:
        return (lambda char: char != "\n"), []
    if op is ops.LITERAL:
        return (lambda char: char.lower() == chr(av).lower()), [chr(av)]
    if op is ops.NOT_LITERAL:
        return (lambda char: char != chr(av)), [chr(av)]
    parts = [_part(kind, value) for kind, value in av if kind is not ops.NEGATE]
    negated = any(kind is ops.NEGATE for kind, _ in av)
    fits = [part[0] for part in parts]
    named = [letter for part in parts for letter in part[1]]
    return (lambda char: any(fit(char) for fit in fits) != negated), named


def _part(kind: Any, value: Any) -> tuple[Atom, list[str]]:
    if kind is ops.LITERAL:
        return (lambda char: char == chr(value)), [chr(value)]
    if kind is ops.RANGE:
        low, high = value
        return (lambda char: low <= ord(char) <= high), [chr(low), chr(high)]
    return _CATEGORIES[value], []


# --- Texts that could be slow ---


@dataclass(frozen=True)
class Attack:
    beginning: str
    unit: str
    end: str

    def text(self, length: int) -> str:
        return self.beginning + self.unit * max(1, length // len(self.unit)) + self.end

    def __str__(self) -> str:
        return f"{self.beginning!r} + {self.unit!r} * n + {self.end!r}"


def attacks(pattern: Pattern) -> Iterator[Attack]:
    made_of = anatomy(pattern)
    letters = _one_of_each_kind(made_of)
    end = min(letters, key=lambda letter: sum(atom(letter) for atom in made_of.atoms))
    beginnings = sorted(dict.fromkeys(made_of.beginnings), key=len)[:MOST_BEGINNINGS]
    for unit in _units(made_of, letters):
        for beginning in beginnings:
            yield Attack(beginning, unit, end)
        if len(unit) <= 2:
            yield Attack(beginnings[-1], unit, "")
    for beginning in filter(None, beginnings):
        yield Attack("", beginning, end)
        yield Attack("", beginning, "")


def _one_of_each_kind(made_of: Anatomy) -> list[str]:
    """Two characters that every part of the pattern takes alike are one: the
    first stands for both.
    """
    kinds: dict[tuple[bool, ...], str] = {}
    for letter in sorted(made_of.letters):
        kinds.setdefault(tuple(atom(letter) for atom in made_of.atoms), letter)
    return list(kinds.values())


def _units(made_of: Anatomy, letters: list[str]) -> Iterator[str]:
    def busy(letter: str) -> tuple[int, int]:
        in_repeats = sum(atom(letter) for atom in made_of.repeated)
        return in_repeats, sum(atom(letter) for atom in made_of.atoms)

    by_work = sorted(letters, key=busy, reverse=True)
    busiest = by_work[:BUSIEST_LETTERS]
    units = dict.fromkeys(letters)
    for length in range(2, LONGEST_UNIT + 1):
        units.update(dict.fromkeys(map("".join, itertools.product(busiest, repeat=length))))
    for sample in made_of.bodies:
        units.update(dict.fromkeys(sample[:length] for length in range(1, LONGEST_UNIT + 1)))
    drawn = random.Random(len(letters))
    for _ in range(SAMPLED_UNITS):
        units["".join(drawn.choices(letters, k=drawn.randint(2, LONGEST_UNIT)))] = None
    return (unit for unit in units if unit)


# --- How long they take ---


def slowest_growth(pattern: Pattern) -> tuple[float, Attack | None]:
    """The largest cost of doubling a text that was found, and its text. Stops at the first that is
    too large.
    """
    worst: tuple[float, Attack | None] = (0.0, None)
    for attack in attacks(pattern):
        growth = _growth(pattern, attack)
        if growth > worst[0]:
            worst = growth, attack
        if growth >= MOST_PER_DOUBLING:
            break
    return worst


def _growth(pattern: Pattern, attack: Attack) -> float:
    """0.0: plainly fast enough; most texts are, and need no long measurement."""
    if any(_is_slow(pattern, attack, size) for size in FEW_CHARACTERS):
        return float("inf")
    for size in SOME_CHARACTERS:
        if _is_slow(pattern, attack, size):
            return _measured(pattern, attack, size // 4)
    short, long = (_fastest(pattern, attack, size, runs=1) for size in (FEW, MANY))
    if long < SUSPECT_SECONDS or long / short < SUSPECT_GROWTH:
        return 0.0
    return _measured(pattern, attack, FEW)


def _is_slow(pattern: Pattern, attack: Attack, size: int) -> bool:
    """A busy machine makes a fast text look slow for a moment: it is looked at again."""
    if _fastest(pattern, attack, size, runs=1) < SLOW_SECONDS:
        return False
    return _fastest(pattern, attack, size, runs=3) >= SLOW_SECONDS


def _measured(pattern: Pattern, attack: Attack, size: int) -> float:
    while _fastest(pattern, attack, size, runs=2) < MEASURED_SECONDS and size < LONGEST_TEXT:
        size *= 2
    runs = 4
    short = _fastest(pattern, attack, size, runs=runs)
    middle = _fastest(pattern, attack, 2 * size, runs=runs)
    if middle / short > 2 * MOST_PER_DOUBLING:
        return middle / short
    return float((_fastest(pattern, attack, 4 * size, runs=runs) / short) ** 0.5)


def _fastest(pattern: Pattern, attack: Attack, size: int, *, runs: int) -> float:
    """Seconds of this thread alone: what else the machine does is not counted."""
    text: Any = attack.text(size)
    if isinstance(pattern.pattern, bytes):
        text = text.encode("latin-1")
    return min(_seconds(pattern, text) for _ in range(runs))


def _seconds(pattern: Pattern, text: Any) -> float:
    started = time.thread_time()
    for _ in pattern.finditer(text):
        pass
    pattern.fullmatch(text)
    return time.thread_time() - started
