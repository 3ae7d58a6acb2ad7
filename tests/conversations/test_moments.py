"""The registry of what the bot says: each moment has one home, and its words fit its values."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from conversations import saying
from conversations.saying import Moment, moment_label, register, registered
from conversations.texts import default_text, names_in

ROOT = Path(__file__).resolve().parent.parent.parent
# Each with the packages whose moments it may say: its own, and those of floors below.
SPEAKERS = {
    "conversations": ["conversations"],
    "assistant": ["assistant", "conversations"],
    "tickets": ["tickets", "assistant", "conversations"],
    "webhook": ["webhook", "tickets", "assistant", "conversations"],
}


def keys_of(package: str) -> set[str]:
    return {moment.key for moment in import_module(f"{package}.moments").MOMENTS}


def said_in(package: str) -> Iterator[str]:
    """The keys that stand in `Saying("…")` and `LookLink("…")` of a package."""
    for file in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.func.id in ("Saying", "LookLink") and isinstance(node.args[0], ast.Constant):
                yield str(node.args[0].value)


@pytest.mark.parametrize("key", registered())
def test_its_default_shows_no_value_that_nobody_gives(key: str) -> None:
    moment = registered()[key]
    assert names_in(default_text(key)) == moment.needs
    assert moment.keeps <= moment.needs


@pytest.mark.parametrize(("package", "homes"), SPEAKERS.items())
def test_a_package_says_its_own_moments_and_those_of_floors_below(
    package: str, homes: list[str]
) -> None:
    said = set(said_in(package))
    assert said
    assert said <= set().union(*map(keys_of, homes))


def test_every_moment_stands_with_the_package_that_says_it() -> None:
    homes = [keys_of(package) for package in SPEAKERS]
    assert set(registered()) == set().union(*homes)
    assert len(registered()) == sum(map(len, homes))


def test_two_moments_cannot_share_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saying, "_moments", {})
    register([Moment("hello", "问候", "您好。")])
    with pytest.raises(ValueError, match="hello"):
        register([Moment("hello", "再次问候", "又见面了。")])


def test_a_moment_that_was_given_up_is_known_by_its_key() -> None:
    assert moment_label("of_former_days") == "of_former_days"
