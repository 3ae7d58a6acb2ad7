from __future__ import annotations

import pytest

from llm.sse import events


def test_it_gives_the_data_of_each_event() -> None:
    assert list(events([b"data: one\n\ndata: two\n\n"])) == ["one", "two"]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_it_knows_all_line_ends(end: bytes) -> None:
    assert list(events([b"data: one" + end * 2 + b"data: two" + end * 2])) == ["one", "two"]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_it_does_not_care_where_the_bytes_are_cut(end: bytes) -> None:
    stream = end.join(
        ["data: 您好".encode(), b"", b": ping", b"event: x", b"data:two", b"data: lines", b"", b""]
    )
    assert list(events(bytes([byte]) for byte in stream)) == ["您好", "two\nlines"]


def test_it_skips_comments_and_events_without_data() -> None:
    assert list(events([b": ping\n\nevent: ping\n\nid: 7\nretry: 10\n\ndata: x\n\n"])) == ["x"]


def test_it_takes_one_blank_after_the_colon_away_and_no_more() -> None:
    assert list(events([b"data:  x\n\ndata:y\n\n"])) == [" x", "y"]


def test_it_gives_out_a_last_event_without_its_empty_line() -> None:
    assert list(events([b"data: x\n\ndata: [DONE]"])) == ["x", "[DONE]"]


def test_it_replaces_bytes_that_are_no_text() -> None:
    assert list(events([b"data: a\xffb\n\n"])) == ["a\ufffdb"]
