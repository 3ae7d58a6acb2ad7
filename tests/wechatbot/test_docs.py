"""What the documents say is there, is there."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from django.core.management import get_commands

from tests.environment import CONTRACT
from tests.stack import ROOT

READMES = ("README.md", "README.zh-CN.md")
NOT_FOR_USERS = {"ENV_FILE"}


def settings_read() -> set[str]:
    source = (ROOT / "wechatbot/settings.py").read_text(encoding="utf-8")
    return set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', source)) - NOT_FOR_USERS


@pytest.mark.parametrize("readme", READMES)
def test_the_readme_lists_exactly_the_settings_there_are(readme: str) -> None:
    text = (ROOT / readme).read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in text.splitlines() if re.match(r"\| `[A-Z]", line)]

    assert set(re.findall(r"`([A-Z_]+)`", " ".join(rows))) == settings_read()


def test_the_example_lists_them_too() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()

    assert {
        line[1:].split("=")[0] for line in lines if re.match(r"#[A-Z_]+=", line)
    } == settings_read()


def test_no_setting_of_a_developer_reaches_the_tests() -> None:
    given_to_tests = {"DATA_DIR", "DATABASE_URL", "REDIS_URL"}

    assert set(CONTRACT) == settings_read() - given_to_tests


@pytest.mark.parametrize("document", [*READMES, "CONTRIBUTING.md", "SECURITY.md"])
def test_every_place_a_document_names_exists(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    linked = set(re.findall(r"\]\(([^)#:]+)\)", text))
    named = {
        name
        for name in re.findall(r"`((?:[\w.-]+/)+[\w.-]*)`", text)
        if not name.startswith(("var/", "docker/cert"))
    }

    missing = {name for name in linked | named if not (ROOT / name).exists()}

    # Made on the machine: by docker/init.sh, by `make bench`.
    assert missing - {"docker/.env", "benchmarks/RESULTS.md"} == set()


@pytest.mark.parametrize("readme", READMES)
def test_every_make_target_of_the_readme_exists(readme: str) -> None:
    targets = set(
        re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    text = (ROOT / readme).read_text(encoding="utf-8")

    assert set(re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE)) <= targets


@pytest.mark.parametrize(
    "document", [*READMES, "CONTRIBUTING.md", "SECURITY.md", "docs/troubleshooting.md"]
)
def test_every_command_that_a_document_names_exists(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")

    assert set(re.findall(r"manage\.py ([a-z_]+)", text)) <= set(get_commands())


@pytest.mark.parametrize("document", ["SECURITY.md", "docs/troubleshooting.md"])
def test_every_setting_that_a_document_names_is_read(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:WECHAT|LLM|RATE|SESSION|CALLBACK|WORKER)_[A-Z_]+[A-Z])\b", text))

    assert named <= settings_read()


def test_what_users_see_first_in_trouble_has_its_entry() -> None:
    text = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
    symptoms = (
        "消息延迟过高",
        "模型应答不准确",
        "会话上下文丢失",
        "该公众号提供的服务出现故障",
        "40164",
        "48001",
    )

    assert [
        symptom for symptom in symptoms if not re.search(rf"^## {symptom}$", text, re.MULTILINE)
    ] == []
    assert all(
        "docs/troubleshooting.md" in (ROOT / readme).read_text(encoding="utf-8")
        for readme in READMES
    )


@pytest.mark.parametrize("readme", READMES)
@pytest.mark.parametrize(
    "document", ["docs/matching.md", "docs/troubleshooting.md", "SECURITY.md", "CONTRIBUTING.md"]
)
def test_both_readmes_lead_to_the_other_documents(readme: str, document: str) -> None:
    assert f"]({document})" in (ROOT / readme).read_text(encoding="utf-8")


def test_each_decision_has_a_number_of_its_own_and_says_it() -> None:
    pages = sorted((ROOT / "docs/decisions").glob("*.md"))
    numbers = [int(page.name.split("-")[0]) for page in pages]
    headings = [page.read_text(encoding="utf-8").split(".")[0] for page in pages]

    assert numbers == list(range(1, len(pages) + 1))
    assert headings == [f"# {number}" for number in numbers]


def test_the_picture_is_one() -> None:
    picture = ElementTree.parse(ROOT / "docs/picture.svg").getroot()

    assert picture.tag.endswith("svg")
    assert Path(ROOT / "docs/picture.svg").stat().st_size < 40_000
