"""The order that the tests themselves keep; CONTRIBUTING tells why."""

from __future__ import annotations

import re

import pytest

from tests.stack import ROOT

# In pieces, so that this file does not find itself.
HELPER_OF_A_CONFTEST = r"^\s*(from|import) tests[\w.]*\.con" + r"ftest\b"
SILENCED_TYPE = r"#\s*type:\s*" + r"ignore"


def found(pattern: str) -> list[str]:
    """Where the tests have it."""
    places = []
    for path in sorted((ROOT / "tests").rglob("*.py")):
        lines = path.read_text(encoding="utf-8").splitlines()
        hits = [number for number, line in enumerate(lines, 1) if re.search(pattern, line)]
        places += [f"{path.relative_to(ROOT)}:{number}" for number in hits]
    return places


def test_no_helper_comes_from_a_conftest() -> None:
    assert found(HELPER_OF_A_CONFTEST) == []


def test_no_type_is_silenced() -> None:
    assert found(SILENCED_TYPE) == []


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (HELPER_OF_A_CONFTEST, "from tests.webhook.con" + "ftest import RETURNS"),
        (HELPER_OF_A_CONFTEST, "import tests.con" + "ftest"),
        (SILENCED_TYPE, "reply(turn, model)  # type: " + "ignore[arg-type]"),
    ],
)
def test_each_would_be_found(pattern: str, line: str) -> None:
    assert re.search(pattern, line)
