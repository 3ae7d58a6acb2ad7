"""The CSV file that FAQs travel in: what Excel writes and opens, with
Chinese or English headers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import tablib  # type: ignore[import-untyped]
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from common.text import without_control

# Each column by its name in the file, and the other headers it may have; the first of them is
# written in Chinese.
COLUMNS = {
    "category": ("分类", "类别"),
    "question": ("问题", "标准问题"),
    "answer": ("答案", "回答"),
    "phrasings": ("相似问法", "问法", "相似问题"),
    "enabled": ("启用", "是否启用"),
}
REQUIRED = ("question", "answer")
# Beside the file's own columns each row carries its number as Excel shows it.
ROW_NUMBER = "row"
BYTE_ORDER_MARK = "\ufeff"

MOST_ROWS = 10_000
MOST_MEGABYTES = 20
# Every process reads each of them: a file of one-letter phrasings would hold millions.
MOST_PHRASINGS_OF_A_ROW = 500
MOST_PHRASINGS = 100_000
BETWEEN_PHRASINGS = "|｜"
# Five cells as long as the csv module reads them, and their quotes.
LONGEST_LINE = 700_000

# A table program computes what begins so; with an apostrophe before it, it shows the text as it is.
_BEGINS_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


@dataclass(frozen=True)
class RowError:
    row: int
    message: str

    def __str__(self) -> str:
        return _("第 %(row)d 行：%(message)s") % {"row": self.row, "message": self.message}


class FileRefused(ValueError):
    """The file as a whole cannot be read as FAQs; its text says why."""


def decode(content: bytes) -> str:
    """The text of a file from Excel: UTF-8 with or without mark, UTF-16 ("Unicode text") or GBK."""
    check_size(len(content))
    if content.startswith(b"PK\x03\x04"):
        raise FileRefused(_("这是 Excel 工作簿，请在 Excel 里另存为「CSV UTF-8」再导入。"))
    is_utf16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if is_utf16 else ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise FileRefused(_("文件的文字编码无法识别，请另存为「CSV UTF-8」再导入。"))


def check_size(size: int) -> None:
    if size > MOST_MEGABYTES * 1024 * 1024:
        refused = _("文件有 %(size).1f MB，一次最多导入 %(most)d MB，请分成几个文件。")
        raise FileRefused(refused % {"size": size / 1024 / 1024, "most": MOST_MEGABYTES})


def read(text: str) -> tablib.Dataset:
    """The rows of a CSV text, in the order of COLUMNS whatever the file's order, blank rows left
    out.
    """
    text = without_control(text.removeprefix(BYTE_ORDER_MARK))
    first_line = text.partition("\n")[0]
    delimiter = max(",", "\t", ";", key=first_line.count)
    reader = csv.reader(_lines(text), delimiter=delimiter, strict=True)
    try:
        header = next(reader, None)
        if header is None:
            raise FileRefused(_("文件是空的。"))
        return _dataset(_columns_of(header), reader)
    except csv.Error as error:
        refused = _(
            "文件不是有效的 CSV：第 %(line)s 行或之前有引号没有成对，或者一格里的文字太长。"
        )
        raise FileRefused(refused % {"line": reader.line_num}) from error


def write(dataset: tablib.Dataset) -> str:
    """CSV text with the mark that tells Excel it is UTF-8, and without a cell that Excel would
    compute.
    """
    safe = tablib.Dataset(headers=dataset.headers)
    for record in dataset:
        safe.append([_neutralised(str(cell)) for cell in record])
    return BYTE_ORDER_MARK + safe.export("csv")


def _neutralised(cell: str) -> str:
    return f"'{cell}" if _is_formula(cell.lstrip("'")) else cell


def _as_written(cell: str) -> str:
    """The text that an exported cell stands for."""
    return cell[1:] if cell.startswith("'") and _is_formula(cell.lstrip("'")) else cell


def _is_formula(cell: str) -> bool:
    return cell.startswith(_BEGINS_FORMULA)


def headers() -> list[str]:
    """The header row in the language of whoever exports."""
    return [header_of(name) for name in COLUMNS]


def header_of(name: str) -> str:
    return COLUMNS[name][0] if (get_language() or "").startswith("zh") else name


def _columns_of(header: Sequence[str]) -> list[str]:
    known = {alias: name for name, aliases in COLUMNS.items() for alias in (name, *aliases)}
    columns = [known.get(cell.strip().lower(), "") for cell in header]
    missing = [header_of(name) for name in REQUIRED if name not in columns]
    if missing:
        raise FileRefused(_("缺少列：%(columns)s。第一行应为：%(header)s") % _header_hint(missing))
    if len(set(filter(None, columns))) < len(list(filter(None, columns))):
        raise FileRefused(_("有重复的列。第一行应为：%(header)s") % _header_hint())
    return columns


def _header_hint(missing: Iterable[str] = ()) -> dict[str, str]:
    return {"columns": _("、").join(missing), "header": ",".join(headers())}


def _lines(text: str) -> Iterator[str]:
    for number, line in enumerate(io.StringIO(text, newline=""), start=1):
        if len(line) > LONGEST_LINE:
            raise FileRefused(str(RowError(number, _("这一行太长。"))))
        yield line


def _dataset(columns: list[str], records: Iterable[Sequence[str]]) -> tablib.Dataset:
    present = [name for name in COLUMNS if name in columns]
    dataset = tablib.Dataset(headers=[*present, ROW_NUMBER])
    phrasings = 0
    for number, record in enumerate(records, start=2):
        cells = [_as_written(cell.strip()) for cell in record]
        if not any(cells):
            continue
        if any(cells[len(columns) :]):
            message = _("比表头多出一列。单元格里有逗号时，请用英文双引号把它括起来。")
            raise FileRefused(str(RowError(number, message)))
        if len(dataset) == MOST_ROWS:
            refused = _("文件超过 %(most)d 行，一次最多导入 %(most)d 行，请分成几个文件。")
            raise FileRefused(refused % {"most": MOST_ROWS})
        by_name = dict(zip(columns, cells, strict=False))
        phrasings += _phrasings_in(by_name.get("phrasings", ""), number)
        if phrasings > MOST_PHRASINGS:
            refused = _("文件超过 %(most)d 个相似问法，请分成几个文件。")
            raise FileRefused(refused % {"most": MOST_PHRASINGS})
        dataset.append([*(by_name.get(name, "") for name in present), number])
    return dataset


def _phrasings_in(cell: str, row: int) -> int:
    """How many a cell holds at most, without reading them."""
    count = sum(map(cell.count, BETWEEN_PHRASINGS)) + bool(cell)
    if count > MOST_PHRASINGS_OF_A_ROW:
        message = _("相似问法超过 %(most)d 个。") % {"most": MOST_PHRASINGS_OF_A_ROW}
        raise FileRefused(str(RowError(row, message)))
    return count
