"""No text, however it is made, keeps a regular expression of the product busy for long."""

from __future__ import annotations

import re

import pytest

from assistant import smalltalk
from assistant.plain_text import from_markdown
from conversations.replies.parts import cut
from knowledge.synonyms import SHIPPED, Synonyms
from tests import patterns
from tests.patterns import MOST_PER_DOUBLING, Pattern, slowest_growth


def made_of_synonyms() -> Pattern:
    pattern = Synonyms(SHIPPED)._pattern
    assert pattern is not None
    return pattern


# Patterns that are put together while the program runs, and an example of each.
MADE_WHILE_RUNNING: dict[str, Pattern] = {
    "knowledge/synonyms.py": made_of_synonyms(),
    # Called at import only: its results are found in the module.
    "assistant/smalltalk.py": smalltalk._made_of("greeting"),
}


def held() -> dict[str, Pattern]:
    return {
        name: pattern
        for module in patterns.modules()
        for name, pattern in patterns.patterns_in(module)
    }


def written() -> dict[str, Pattern]:
    return {
        str(call): re.compile(call.text, call.flags)
        for call in patterns.calls()
        if call.text is not None
    }


def distinct() -> list[object]:
    """Each pattern once, under the first of its names."""
    found = {**held(), **written(), **MADE_WHILE_RUNNING}
    by_text = {(pattern.pattern, pattern.flags): name for name, pattern in reversed(found.items())}
    return [pytest.param(re.compile(*key), id=name) for key, name in by_text.items()]


# Patterns that the product had, each of them slow in its own way.
OLD: dict[str, Pattern] = {
    "sealed push": re.compile(rb"<Encrypt>\s*(?:<!\[CDATA\[)?([^<\]]*)(?:\]\]>)?\s*</Encrypt>"),
    "fenced JSON": re.compile(r"^```(?:json)?\s*(.*?)\s*```$", re.S),
    "heading": re.compile(r"^[ \t]{0,3}#{1,6}[ \t]+(.*?)[ \t]*#*[ \t]*$", re.MULTILINE),
    "image": re.compile(r"!\[([^\]]*)\]\(([^)\s]+)[^)]*\)"),
    "link": re.compile(r"\[([^\]]+)\]\(([^)\s]+)[^)]*\)"),
    "address": re.compile(r"<((?:https?://|mailto:)[^>\s]+)>"),
    "bold": re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1", re.DOTALL),
    "struck": re.compile(r"~~(?=\S)(.+?)(?<=\S)~~"),
    "code": re.compile(r"(`+)(?!`)(.+?)(?<!`)\1(?!`)"),
    "table": re.compile(r"^[ \t]*\|?[ \t]*:?-{2,}:?[ \t]*(?:\|[ \t]*:?-{2,}:?[ \t]*)*\|?[ \t]*$"),
    "tag": re.compile(
        r"</?(?:br|p|b|strong|i|em|u|ul|ol|li|div|span|h[1-6]|code|pre)\b[^>]*>", re.IGNORECASE
    ),
    "sentence": re.compile(
        r".+?(?:[。！？；…\n]+[”」』）)\"']*|[.!?;]+[”」』）)\"']*(?=[\s\u2e80-\uffef])|$)\s*",
        re.DOTALL,
    ),
    "mail": re.compile(r"\d{5,}|[\w.+-]+@[\w-]+\.\w+"),
    "anchor": re.compile(r"<a\b[^>]*>(.*?)</a>", re.IGNORECASE | re.DOTALL),
    "drawn anchor": re.compile(
        r"""<a\s[^>]*?href\s*=\s*(["'])(?P<href>.*?)\1[^>]*>(?P<label>.*?)</a>""", re.I | re.S
    ),
    "exponential": re.compile(r"(?:a+)+b"),
}


@pytest.mark.parametrize("pattern", distinct())
def test_it_takes_twice_as_long_for_twice_the_text(pattern: Pattern) -> None:
    growth, attack = slowest_growth(pattern)
    assert growth < MOST_PER_DOUBLING, f"{pattern.pattern!r} grows {growth:.1f} times with {attack}"


@pytest.mark.parametrize(
    "pattern", [pytest.param(pattern, id=name) for name, pattern in OLD.items()]
)
def test_it_finds_every_slow_pattern_that_the_product_had(pattern: Pattern) -> None:
    growth, attack = slowest_growth(pattern)
    assert growth >= MOST_PER_DOUBLING, f"the worst was {growth:.1f} with {attack}"


def test_no_pattern_is_hidden_from_this_search() -> None:
    """What is made at import is found in its module; what is made later has an example above."""
    modules_with_patterns = {name.rsplit(".", 1)[0] for name in held()}
    for call in patterns.calls():
        if call.text is not None:
            continue
        module = call.place.removesuffix(".py").replace("/", ".")
        if call.at_import:
            assert any(name.startswith(module) for name in modules_with_patterns), call
        else:
            assert call.place in MADE_WHILE_RUNNING, (
                f"{call}: name an example in MADE_WHILE_RUNNING"
            )


@pytest.mark.parametrize(
    "source",
    [
        "from re import compile",
        "import re as regular",
        "import regex",
        "rows.filter(text__regex=words)",
    ],
)
def test_it_refuses_a_pattern_under_another_name(source: str) -> None:
    with pytest.raises(AssertionError):
        list(patterns.calls_in(source, "x.py"))


def test_it_sees_patterns_inside_functions_and_validators() -> None:
    source = (
        'import re\ndef f(x): return re.sub(r"a+", "", x)\nlook = '
        'RegexValidator("b+")\nre.compile(made)'
    )
    found = {(call.text, call.at_import) for call in patterns.calls_in(source, "x.py")}
    assert found == {(None, True), ("a+", False), ("b+", True)}


@pytest.mark.parametrize(
    "text", [" " * 1_000_000, "[" * 1_000_000, "** a" * 250_000, "# " + " " * 1_000_000 + "x"]
)
def test_an_answer_of_a_megabyte_is_bounded_before_it_is_read(text: str) -> None:
    assert len(from_markdown(text)) <= 20_000


def test_a_megabyte_without_sentences_is_cut_like_any_text() -> None:
    assert "".join(cut("?" * 1_000_000)) == "?" * 1_000_000
