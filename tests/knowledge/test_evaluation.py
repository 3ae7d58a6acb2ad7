"""`manage.py evaluate_matching`, on a set small enough to count by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from knowledge import versions
from knowledge.retrieval.evaluation import Outcome, read_questions, threshold_for

ENTRIES = [
    {"id": "a", "question": "怎么退货", "aliases": ["退货流程"]},
    {"id": "b", "question": "怎么开发票", "aliases": []},
    {"id": "c", "question": "门店在哪里", "aliases": []},
    {"id": "d", "question": "怎么洗鞋", "aliases": []},
]
QUERIES = [
    {"text": "怎么退货", "expected": "a", "kind": "in", "split": "dev"},
    {"text": "你好漂亮", "expected": None, "kind": "oos_far", "split": "dev"},
    {"text": "退货流程", "expected": "a", "kind": "in", "split": "test"},
    {"text": "怎么开发票？", "expected": "b", "kind": "in", "split": "test"},
    {"text": "怎么洗", "expected": "a", "kind": "in", "split": "test"},
    {"text": "唱首歌", "expected": None, "kind": "oos_far", "split": "test"},
]


def run(entries: str, questions: str) -> None:
    call_command("evaluate_matching", "--kb", entries, "--queries", questions)


def write(path: Path, rows: list[dict]) -> str:
    path.write_text(
        "\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8"
    )
    return str(path)


def test_it_reports_on_test_what_it_chose_on_dev(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No `db` fixture: a query would fail the test, as would a call to Redis.
    monkeypatch.setattr(versions, "redis", None)

    run(write(tmp_path / "kb.jsonl", ENTRIES), write(tmp_path / "q.jsonl", QUERIES))

    printed = capsys.readouterr().out
    assert "问题 4 条（test），其中知识库能回答 3 条，FAQ 4 条" in printed
    assert "R@1  66.7%" in printed
    assert "R@3  100.0%" in printed
    assert "直接回答的比例  50.0%（阈值 1.00 选自 dev，test 准确率 100.0%）" in printed
    assert "达到 0.70 即直接回答：答对 66.7%（占能回答的问题），准确率 66.7%" in printed


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([], "is empty"),
        (QUERIES[:2], "both splits"),
        ([{"text": "怎么退货"}], "line 1: KeyError"),
        (["怎么退货"], "line 1: TypeError"),
    ],
)
def test_it_says_what_is_wrong_with_a_file(tmp_path: Path, rows: list, reason: str) -> None:
    entries = write(tmp_path / "kb.jsonl", ENTRIES)
    with pytest.raises(CommandError, match=reason):
        run(entries, write(tmp_path / "q.jsonl", rows))


def test_it_names_the_line_that_is_no_json(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text(
        '{"text": "a", "expected": null, "split": "dev"}\n\nnonsense\n', encoding="utf-8"
    )

    with pytest.raises(ValueError, match="line 3"):
        read_questions(path)


def test_it_names_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"nothing\.jsonl"):
        run(str(tmp_path / "nothing.jsonl"), str(tmp_path / "nothing.jsonl"))


def outcome(confidence: float, *, right: bool) -> Outcome:
    return Outcome(is_answerable=True, place=1 if right else None, confidence=confidence)


def test_the_threshold_is_the_lowest_with_enough_right_answers() -> None:
    right = [outcome(0.9 - index / 100, right=True) for index in range(9)]

    assert threshold_for([*right, outcome(0.5, right=False)]) == 0.5
    assert threshold_for([*right, outcome(0.5, right=False), outcome(0.4, right=False)]) == 0.5
    assert threshold_for([outcome(0.95, right=False), *right]) == right[-1].confidence


def test_no_threshold_cuts_through_equals() -> None:
    assert threshold_for([outcome(0.9, right=True), outcome(0.9, right=False)]) > 1


def test_nothing_is_answered_when_no_threshold_is_precise_enough() -> None:
    assert threshold_for([outcome(0.9, right=False)]) > 1
