"""FAQs in and out as CSV: what Excel writes is read, and a wrong row keeps all others out."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from common.redis import redis
from knowledge.exchange import csv_file
from knowledge.exchange.csv_file import FileRefused
from knowledge.exchange.faqs import ImportRefused, ImportResult, export_text, import_rows
from knowledge.models import FAQ, Category, Phrasing
from knowledge.versions import CHANGES_KEY
from tests.knowledge.builders import make_faq

pytestmark = pytest.mark.django_db

TWO = """category,question,answer,phrasings,enabled
退换货,怎么退货,"七天内可退，请申请。",我要退货|不想要了,1
,怎么开发票,付款后申请。,,0
"""


def asked_as(question: str) -> list[str]:
    return list(
        Phrasing.objects.filter(faq__question=question)
        .order_by("pk")
        .values_list("text", flat=True)
    )


def test_it_writes_new_faqs() -> None:
    assert import_rows(TWO) == ImportResult(new=2, updated=0, unchanged=0)

    refund, invoice = FAQ.objects.order_by("pk")
    assert (refund.question, refund.answer, refund.enabled) == (
        "怎么退货",
        "七天内可退，请申请。",
        True,
    )
    assert refund.category == Category.objects.get(name="退换货")
    assert asked_as("怎么退货") == ["我要退货", "不想要了"]
    assert (invoice.category, invoice.enabled) == (None, False)


def test_it_updates_by_question_and_leaves_others_alone() -> None:
    import_rows(TWO)
    known = FAQ.objects.get(question="怎么退货").pk

    result = import_rows("问题,答案,相似问法\n怎么退货？,十五天内可退。,如何退\n")

    assert result == ImportResult(new=0, updated=1, unchanged=0)
    updated = FAQ.objects.get(pk=known)
    assert (updated.question, updated.answer) == ("怎么退货？", "十五天内可退。")
    assert updated.category is not None
    assert asked_as("怎么退货？") == ["如何退"]
    assert FAQ.objects.count() == 2


def test_a_column_that_is_not_there_changes_nothing() -> None:
    import_rows(TWO)
    import_rows("question,answer\n怎么开发票,新答案\n怎么退货,新答案\n")

    assert FAQ.objects.get(question="怎么开发票").enabled is False
    assert asked_as("怎么退货") == ["我要退货", "不想要了"]


def test_an_unchanged_file_changes_nothing() -> None:
    import_rows(TWO)
    before = list(FAQ.objects.values_list("pk", "updated_at"))

    assert import_rows(TWO) == ImportResult(new=0, updated=0, unchanged=2)
    assert list(FAQ.objects.values_list("pk", "updated_at")) == before


def test_a_round_trip_is_equal() -> None:
    make_faq('引号"和,逗号', ["a", "b"][0], answer='第一行\n第二行，"引号"\r\n=1+1')
    make_faq("停用的", enabled=False)
    import_rows(TWO)
    exported = export_text()
    FAQ.objects.all().delete()

    assert import_rows(exported) == ImportResult(new=4, updated=0, unchanged=0)
    assert export_text() == exported


@pytest.mark.parametrize(
    "header",
    [
        "分类,问题,答案,相似问法,启用",
        "Category,Question,ANSWER,phrasings,enabled",
        "类别,问题,回答,问法,启用",
    ],
)
def test_it_takes_chinese_and_english_headers(header: str) -> None:
    assert import_rows(f"{header}\n售后,怎么退货,答案,我要退货｜不想要了,是\n").new == 1
    assert asked_as("怎么退货") == ["我要退货", "不想要了"]


def test_it_takes_any_order_of_columns_and_ignores_others() -> None:
    import_rows("备注,答案,问题\n随便写的,七天内。,怎么退货\n")

    assert FAQ.objects.get().answer == "七天内。"


@pytest.mark.parametrize("delimiter", ["\t", ";"])
def test_it_takes_the_other_delimiters_of_excel(delimiter: str) -> None:
    text = "问题,答案\n怎么退货,七天内\n".replace(",", delimiter)

    assert import_rows(text).new == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_it_reads_the_encodings_of_excel(encoding: str) -> None:
    assert csv_file.decode(TWO.encode(encoding)).lstrip("\ufeff") == TWO


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"PK\x03\x04rest", "Excel 工作簿"), (b"\xff\xff\xff\xff\x00", "编码")],
)
def test_it_says_why_a_file_is_no_csv(content: bytes, reason: str) -> None:
    with pytest.raises(FileRefused, match=reason):
        csv_file.decode(content)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "文件是空的"),
        ("标题,内容\na,b\n", "缺少列：问题、答案"),
        ("问题,分类\na,b\n", "缺少列：答案"),
        ("问题,答案,question\na,b,c\n", "重复的列"),
        ('问题,答案\n怎么退货,"没有结束\n', "不是有效的 CSV：第 2 行"),
        ("问题,答案\n怎么退货,可以,7 天\n", "第 2 行：比表头多出一列"),
    ],
)
def test_it_says_what_is_wrong_with_a_file(text: str, reason: str) -> None:
    with pytest.raises(FileRefused, match=reason):
        import_rows(text)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (",七天内", "第 3 行：问题：请用文字写出问题"),
        ("？？,七天内", "第 3 行：问题：请用文字写出问题"),
        ("怎么换货,", "第 3 行：答案：请写出答案"),
        ("怎么退货！,七天内", "第 3 行：问题：与第 2 行的问题重复"),
        (f"{'长' * 201},七天内", "第 3 行：问题：.*超过 200 个字"),
        ("怎么换货,可以,也许", "第 3 行：启用：「也许」应为 1 或 0"),
        ("怎么换货,可以,1,我要退货", "第 3 行：相似问法：「我要退货」与已有的 FAQ「怎么退货」重复"),
        (
            "怎么换货,可以,1,门店在哪里",
            "第 3 行：相似问法：「门店在哪里」与已有的 FAQ「门店在哪里」重复",
        ),
        (f"怎么换货,可以,1,好|{'长' * 201}", "第 3 行：相似问法：.*超过 200 个字"),
        (f"怎么换货,可以,1,,{'类' * 61}", "第 3 行：分类：.*超过 60 个字"),
    ],
)
def test_one_wrong_row_keeps_all_out_and_is_named_by_its_number(rows: str, reason: str) -> None:
    make_faq("门店在哪里")

    with pytest.raises(ImportRefused, match=reason):
        import_rows(f"问题,答案,启用,相似问法,分类\n怎么退货,七天内,1,我要退货,退换货\n{rows}\n")

    assert list(FAQ.objects.values_list("question", flat=True)) == ["门店在哪里"]
    assert not Category.objects.exists()


def test_it_names_all_wrong_rows_counting_blank_ones_as_excel_does() -> None:
    with pytest.raises(ImportRefused) as refused:
        import_rows("问题,答案\n怎么退货,\n,,\n,七天内\n")

    assert [error.row for error in refused.value.errors] == [2, 4]


def test_a_phrasing_may_move_to_another_faq_within_one_file() -> None:
    import_rows(TWO)
    import_rows("问题,答案,相似问法\n怎么退货,七天内,\n怎么换货,可以,我要退货\n")

    assert asked_as("怎么换货") == ["我要退货"]


def test_phrasings_written_twice_are_kept_once() -> None:
    import_rows("问题,答案,相似问法\n怎么退货,七天内,我要退货|我要退貨？| |怎么退货|不想要了\n")

    assert asked_as("怎么退货") == ["我要退货", "不想要了"]


def test_an_import_is_told_to_all_processes(django_capture_on_commit_callbacks: Callable) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        import_rows(TWO)

    assert redis().get(CHANGES_KEY) == b"1"


def test_the_commands_write_and_read_a_file_that_excel_opens(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    source, target = tmp_path / "faqs.csv", tmp_path / "out.csv"
    source.write_bytes(TWO.encode("gbk"))

    call_command("import_faqs", str(source))
    call_command("export_faqs", str(target))
    call_command("export_faqs", "-")

    content = target.read_bytes()
    printed = capsys.readouterr().out
    assert content.startswith(b"\xef\xbb\xbfcategory,question,answer,phrasings,enabled\r\n")
    assert "新增 2 条，更新 0 条，未变 0 条。" in printed
    assert "怎么退货" in printed
    call_command("import_faqs", str(target))
    assert "未变 2 条" in capsys.readouterr().out


def test_the_import_command_tells_what_is_wrong(tmp_path: Path) -> None:
    source = tmp_path / "faqs.csv"
    source.write_text("问题,答案\n怎么退货,\n", encoding="utf-8")

    with pytest.raises(CommandError, match="没有写入任何 FAQ。\n第 2 行：答案：请写出答案。"):
        call_command("import_faqs", str(source))
    with pytest.raises(CommandError, match="无法读取"):
        call_command("import_faqs", str(tmp_path / "nothing.csv"))
    with pytest.raises(CommandError, match="无法写入"):
        call_command("export_faqs", str(tmp_path / "no folder" / "out.csv"))


def test_an_unexpected_error_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("disk full")

    monkeypatch.setattr(Phrasing.objects, "bulk_create", fail)

    with pytest.raises(RuntimeError, match="disk full"):
        import_rows(TWO)
    assert not FAQ.objects.exists()


FORMULAS = ["=1+1", "+86 10", "-5", "@sum", "'=1", "''-", "＝求和", "'引号", "普通"]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_cell_that_excel_would_compute_comes_back_as_it_was(text: str) -> None:
    make_faq(f"{text}怎么办理", f"{text}问法", answer=text)
    exported = export_text()

    cells = next(csv.reader(exported.splitlines()[1:]))
    assert not any(cell.startswith(tuple("=+-@＝")) for cell in cells)
    FAQ.objects.all().delete()
    import_rows(exported)
    assert FAQ.objects.get().question == f"{text}怎么办理"
    assert FAQ.objects.get().answer == text
    assert asked_as(f"{text}怎么办理") == [f"{text}问法"]
    assert export_text() == exported


@pytest.mark.parametrize("text", ["\t=1", "\r=1"])
def test_white_space_before_a_formula_does_not_hide_it(text: str) -> None:
    make_faq("怎么办理", answer=text)
    exported = export_text()
    assert f"'{text}" in exported

    FAQ.objects.all().delete()
    import_rows(exported)
    assert FAQ.objects.get().answer == text


def rows_of(count: int) -> str:
    return "".join(f"第{number}种货怎么退,答案\n" for number in range(count))


def test_a_file_has_ten_thousand_rows_and_no_more() -> None:
    text = f"问题,答案\n{rows_of(10_000)}"
    assert len(csv_file.read(text)) == 10_000

    with pytest.raises(FileRefused, match=r"超过 10000 行.*分成几个文件"):
        csv_file.read(f"{text}再多一行,答案\n")


def test_a_file_has_twenty_megabytes_and_no_more() -> None:
    full = b"x" * (20 * 1024 * 1024)
    assert csv_file.decode(full)

    with pytest.raises(FileRefused, match=r"最多导入 20 MB.*分成几个文件"):
        csv_file.decode(full + b"x")


def test_a_line_without_end_is_refused() -> None:
    with pytest.raises(FileRefused, match="第 2 行：这一行太长"):
        csv_file.read("问题,答案\n" + "a," * 400_000)


def phrasings_of(count: int) -> str:
    return "|".join(f"问法{number}" for number in range(count))


@pytest.mark.parametrize("mark", "|｜")
def test_a_row_has_five_hundred_phrasings_and_no_more(mark: str) -> None:
    text = f"问题,答案,相似问法\n怎么退货,七天内,{phrasings_of(500)}"
    assert len(csv_file.read(text)) == 1

    with pytest.raises(FileRefused, match="第 2 行：相似问法超过 500 个"):
        csv_file.read(f"{text}{mark}再多一个")


def test_a_file_has_a_hundred_thousand_phrasings_and_no_more() -> None:
    cell = phrasings_of(500)
    text = "问题,答案,相似问法\n" + "".join(
        f"第{number}种货怎么退,答案,{cell}\n" for number in range(200)
    )
    assert len(csv_file.read(text)) == 200

    with pytest.raises(FileRefused, match=r"超过 100000 个相似问法.*分成几个文件"):
        csv_file.read(f"{text}再多一行,答案,再多一个\n")
