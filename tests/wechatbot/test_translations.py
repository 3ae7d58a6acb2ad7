"""The product speaks Chinese and English: every text is a key, and every key has its English."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils.translation import override

from assistant.wishes import wants_human, wants_no_human
from common.text import Words
from conversations.saying import registered
from scripts.catalogue import Entry, read_po
from simulator.texts import page_texts

ROOT = Path(__file__).resolve().parent.parent.parent
CHINESE = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")
PACKAGES = (
    *("wechatbot", "webhook", "simulator", "tickets", "assistant"),
    *("knowledge", "conversations", "wechat", "llm", "common"),
)
# What customers type, what models read, what WeChat itself says, and data that is Chinese in every
# language.
NOT_FOR_READERS = {
    *("assistant/follow_up.py", "assistant/menu.py", "assistant/plain_text.py"),
    *("assistant/prompt.py", "assistant/wishes.py"),
    *("conversations/replies/links.py", "conversations/replies/parts.py"),
    *("wechat/replies.py", "llm/gateway.py"),
    *("knowledge/models.py", "knowledge/synonyms.py", "knowledge/terms.py"),
    *("knowledge/exchange/csv_file.py", "knowledge/exchange/row_checks.py"),
    *(
        "knowledge/retrieval/lexical/guards.py",
        "knowledge/retrieval/lexical/numerals.py",
        "knowledge/retrieval/lexical/opposites.py",
    ),
    *(
        "simulator/actions.py",
        "simulator/phone.py",
        "simulator/views.py",
        "static/simulator/phone.js",
    ),
    # A permission's name stands in the database, in the language of the installation.
    "simulator/models.py",
    # The words of WeChat's own console.
    *("wechat/console.py", "wechat/crypto.py", "wechatbot/supervisor/start.py"),
    *("wechat/accounts.py", "wechatbot/demo/shop.py", "templates/simulator/_topbar.html"),
}
GETTEXT = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy"}
PLACEHOLDER = re.compile(r"%\(\w+\)(?:s|d|\.\df)|%%|%[sd]|{\w*}")


def english() -> list[Entry]:
    return [
        entry
        for entry in read_po(ROOT / "locale" / "en" / "LC_MESSAGES" / "django.po")
        if entry.key
    ]


def test_it_has_every_text_in_english_and_compiled() -> None:
    found = subprocess.run(
        [sys.executable, "scripts/translations.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert found.returncode == 0, found.stdout + found.stderr


def test_it_keeps_every_placeholder_in_english() -> None:
    for entry in english():
        for translation in entry.translations:
            assert sorted(PLACEHOLDER.findall(translation)) == sorted(
                PLACEHOLDER.findall(entry.forms[0])
            ), entry.key


def test_it_uses_no_chinese_in_english() -> None:
    assert [entry.key for entry in english() if CHINESE.search(" ".join(entry.translations))] == []


def test_it_shows_readers_no_chinese_that_cannot_be_translated() -> None:
    found = {place for place, _text in [*_in_python(), *_in_pages()]}

    assert found == NOT_FOR_READERS


def _in_python() -> Iterator[tuple[str, str]]:
    """Chinese literals that are neither keys of gettext nor docstrings."""
    for file in _files(PACKAGES, "*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        spared = {
            id(part)
            for node in ast.walk(tree)
            if isinstance(node, ast.Expr)
            or (isinstance(node, ast.Call) and _name(node.func) in GETTEXT)
            for part in ([node.value] if isinstance(node, ast.Expr) else ast.walk(node))
        }
        for node in ast.walk(tree):
            is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
            if is_text and id(node) not in spared and CHINESE.search(node.value):
                yield file.relative_to(ROOT).as_posix(), node.value


def _in_pages() -> Iterator[tuple[str, str]]:
    """Chinese in templates outside of their translated pieces, and in scripts and styles."""
    translated = re.compile(
        r"{%\s*blocktrans(?:late)?\b.*?{%\s*endblocktrans(?:late)?\s*%}|{%\s*trans(?:late)?\b.*?%}|{#.*?#}",
        re.S,
    )
    for file in [
        *_files(("templates",), "*.html"),
        *_files(("static",), "*.js"),
        *_files(("static",), "*.css"),
    ]:
        rest = translated.sub("", file.read_text(encoding="utf-8"))
        if CHINESE.search(rest):
            yield file.relative_to(ROOT).as_posix(), rest


def _files(folders: tuple[str, ...], pattern: str) -> Iterator[Path]:
    for folder in folders:
        for file in sorted((ROOT / folder).rglob(pattern)):
            if "migrations" not in file.parts:
                yield file


def _name(called: ast.expr) -> str:
    return called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")


def test_it_gives_the_simulators_script_its_words_in_english() -> None:
    with override("en"):
        words = page_texts()

    assert not CHINESE.search(str(words))


@pytest.mark.parametrize("moment", ["follow", "follow_plain", "blocked", "ask_in_words"])
def test_it_tells_english_customers_words_that_bring_a_person(moment: str) -> None:
    assert wants_human(Words(_words_to_reply(moment)))


def test_it_tells_english_customers_the_word_that_ends_the_wait() -> None:
    assert wants_no_human(Words(_words_to_reply("still_waiting")))


def _words_to_reply(moment: str) -> str:
    with override("en"):
        return re.findall("“(.+?)”", str(registered()[moment].default))[-1]
