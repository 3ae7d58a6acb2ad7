"""Are all texts translated, and is what Django reads made from what people edited?

`python scripts/translations.py` checks (part of `make check`), `--compile` writes the .mo files.
Chinese texts are the keys; English must have every one of them. Needs no gettext on the machine.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from catalogue import CONTEXT_END, NEXT_FORM, Entry, compiled_texts, mo_bytes, read_mo, read_po
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "locale"
NOT_OURS = {".venv", "var", "tests", "benchmarks", "scripts", "staticfiles", ".git"}
ONE_TEXT = {"_", "gettext", "gettext_lazy", "gettext_noop"}
WITH_PLURAL = {"ngettext", "ngettext_lazy"}
WITH_CONTEXT = {"pgettext", "pgettext_lazy"}


def main() -> int:
    problems: list[str] = []
    for file in sorted(LOCALE.glob("*/LC_MESSAGES/*.po")):
        entries = read_po(file)
        if "--compile" in sys.argv:
            file.with_suffix(".mo").write_bytes(mo_bytes(compiled_texts(entries)))
        problems += _problems(file, entries)
    english = {entry.key for entry in read_po(LOCALE / "en" / "LC_MESSAGES" / "django.po")}
    problems += [
        f"en: not in django.po: {_shown(key)}  ({place})"
        for key, place in _used()
        if key not in english
    ]
    print("\n".join(problems) or "All texts are translated and compiled.")
    return 1 if problems else 0


def _problems(file: Path, entries: list[Entry]) -> Iterator[str]:
    language = file.parent.parent.name
    for entry in entries:
        if entry.key and not entry.is_translated:
            mark = " (fuzzy)" if entry.is_fuzzy else ""
            yield f"{language}: not translated{mark}: {_shown(entry.key)}"
    compiled = file.with_suffix(".mo")
    if not compiled.exists() or read_mo(compiled.read_bytes()) != compiled_texts(entries):
        yield f"{language}: {compiled.name} is not what {file.name} compiles to: make messages"


def _used() -> Iterator[tuple[str, str]]:
    """Every text in our sources that is a key, and where it stands first."""
    seen = set()
    for file in sorted(_sources()):
        source = file.read_text(encoding="utf-8")
        for key in _keys(source if file.suffix == ".py" else _as_python(source)):
            if key not in seen:
                seen.add(key)
                yield key, str(file.relative_to(ROOT))


def _sources() -> Iterator[Path]:
    for top in ROOT.iterdir():
        if top.is_dir() and top.name not in NOT_OURS:
            yield from top.rglob("*.py")
            yield from top.rglob("*.html")


def _keys(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        texts = [
            a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)
        ]
        if name in ONE_TEXT and texts:
            yield texts[0]
        elif name in WITH_PLURAL and len(texts) > 1:
            yield NEXT_FORM.join(texts[:2])
        elif name in WITH_CONTEXT and len(texts) > 1:
            yield CONTEXT_END.join(texts[:2])


def _as_python(template: str) -> str:
    """Django turns a template into something like Python for xgettext; of it only the calls are
    Python for us.
    """
    string = r"""u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
    call = rf"(?:_|gettext|ngettext|pgettext|npgettext)\(\s*{string}(?:\s*,\s*{string})*"
    return "\n".join(f"{found})" for found in re.findall(call, templatize(template)))


def _shown(key: str) -> str:
    return key.replace(CONTEXT_END, " | ").replace(NEXT_FORM, " / ").replace("\n", "\\n")


if __name__ == "__main__":
    settings.configure()
    sys.exit(main())
