"""Counts of several processes: shown together by each, kept when one dies, without its files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest
from prometheus_client import REGISTRY, values
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from common import metrics
from tests.services.process import wait_until

# A process that counts: 2 messages, one call of 0.3 s. It says so, then lives until it is ended.
COUNTING = """
import sys
from django.conf import settings
settings.configure(DATA_DIR=sys.argv[1])
from prometheus_client import Counter, Histogram
from common import metrics
metrics.start()
Counter("messages", "Messages", ["kind"], namespace="test").labels("text").inc(2)
calls = Histogram("calls", "Calls", ["model"], namespace="test", buckets=(0.1, 1.0))
calls.labels("m").observe(0.3)
print("counted", flush=True)
sys.stdin.read()
"""

Start = Callable[[], "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def one() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", COUNTING, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "counted\n"
        return process

    yield one
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def sharing(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process as one that shares what it counts, and as before afterwards."""
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(metrics, "_life", None)
    monkeypatch.setattr(values, "ValueClass", values.ValueClass)
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    yield
    values.close_all_multiprocess_files()


def shown() -> dict[str, float]:
    """What is counted in the name of `test`, by name and labels."""
    samples = [
        sample
        for family in text_string_to_metric_families(metrics.exposition().decode())
        for sample in family.samples
        if sample.name.startswith("test_")
    ]
    return {" ".join([one.name, *one.labels.values()]): one.value for one in samples}


ONE_PROCESS = {
    "test_messages_total text": 2,
    "test_calls_bucket 0.1 m": 0,
    "test_calls_bucket 1.0 m": 1,
    "test_calls_bucket +Inf m": 1,
    "test_calls_count m": 1,
    "test_calls_sum m": 0.3,
}


def times(count: int) -> dict[str, float]:
    return {name: pytest.approx(value * count) for name, value in ONE_PROCESS.items()}


def files_of_processes(folder: Path) -> list[str]:
    names = {file.name for file in (folder / "metrics").iterdir()}
    ours = f"-{os.getpid()}."
    return sorted(name for name in names if name[-3:] in (".db", "ife") and ours not in name)


@pytest.mark.usefixtures("sharing")
class TestSums:
    def test_each_process_shows_what_all_have_counted(self, start: Start) -> None:
        start(), start()
        metrics.start()
        assert shown() == times(2)

    def test_a_killed_process_keeps_its_counts_and_leaves_no_file(
        self, start: Start, tmp_path: Path
    ) -> None:
        for _ in range(2):
            killed = start()
            killed.send_signal(signal.SIGKILL)
            killed.wait(30)
        metrics.start()
        assert shown() == times(2)
        assert files_of_processes(tmp_path) == ["counter_ended.db", "histogram_ended.db"]

    def test_those_who_live_keep_their_files_and_count_on(
        self, start: Start, tmp_path: Path
    ) -> None:
        living = start()
        start().kill()
        wait_until(lambda: metrics_of_the_dead(tmp_path) == 1)
        metrics.start()
        assert len(files_of_processes(tmp_path)) == 2 + 3
        assert living.poll() is None
        assert shown() == times(2)

    def test_a_file_that_a_power_cut_left_half_written_stops_nobody(
        self, start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        killed = start()
        killed.kill()
        killed.wait(30)
        [broken] = (tmp_path / "metrics").glob("counter_*.db")
        broken.write_bytes(b"\xff\x00\x00\x00" * 40)
        metrics.start()
        assert "test_messages_total text" not in shown()
        assert shown()["test_calls_count m"] == 1
        assert "counts are lost" in caplog.text

    def test_without_a_place_for_files_a_process_starts_all_the_same(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        (tmp_path / "metrics").write_text("a file where the folder should be")
        metrics.start()
        assert "is not shown" in caplog.text
        assert values.ValueClass._multiprocess is False


def metrics_of_the_dead(folder: Path) -> int:
    lives = (folder / "metrics").glob("*.life")
    return sum(not metrics._is_held(life) for life in lives)


def test_every_metric_of_ours_has_a_label() -> None:
    """Without one its value comes into being with the module, before the process has its files."""
    for package in ("assistant", "conversations", "llm", "webhook"):
        import_module(f"{package}.metrics")
    ours = [
        collector
        for name, collector in REGISTRY._names_to_collectors.items()
        if name.startswith(f"{metrics.NAMESPACE}_")
    ]
    assert ours
    assert all(collector._labelnames for collector in ours)
