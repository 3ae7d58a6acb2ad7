"""What the processes of this product have counted, for Prometheus.

A package that has something to count names it in its own `metrics.py`:

    answers = Counter("answers", "Answers by source", ["source"], namespace=NAMESPACE)

Each metric has at least one label. Its values then come into being with the first count, which is
after `start`. A process that does not call `start` (a command, a test) counts in its memory alone.

After `start` a process counts in two files of its own under DATA_DIR, so that any process can show
the sums of all (`exposition`). The files carry host name and process id, because containers that
share DATA_DIR have the same ids. A third file is locked as long as the process lives: the kernel
ends the lock with it. The next process to start adds the counts of the dead to one pair of files
and deletes theirs. Their counts must stay, for Prometheus takes a smaller sum for a restart.
"""

from __future__ import annotations

import fcntl
import logging
import os
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from django.conf import settings
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest, values
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.multiprocess import MultiProcessCollector

logger = logging.getLogger(__name__)

NAMESPACE = "wechatbot"
KINDS = ("counter", "histogram")
# The pair of files that holds what dead processes have counted.
ENDED = "ended"
# Taken from the disk at the start: on a full disk a count in a page without room would end the
# process.
FILE_BYTES = 256 * 1024
# What a file that a power cut left half written makes the reader raise.
_HALF_WRITTEN = (ValueError, RuntimeError, struct.error)

# Open as long as this process lives.
_life: IO[bytes] | None = None


def start() -> None:
    """From now on this process counts for all to see. Without its files it works all the same."""
    global _life
    if _life is not None:
        return
    folder, name = _folder(), f"{socket.gethostname()}-{os.getpid()}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _folder_locked():
            add_up_the_dead()
            life = _locked_for_life(folder / f"{name}.life")
            for kind in KINDS:
                (folder / f"{kind}_{name}.db").write_bytes(bytes(FILE_BYTES))
    except OSError as error:
        logger.warning("what this process counts is not shown: %s", error)
        return
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    values.ValueClass = values.MultiProcessValue(lambda: name)
    _life = life


def exposition() -> bytes:
    """The sums of all processes, dead ones too, in Prometheus' text format."""
    if _life is None:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(_folder()))
    with _folder_locked():
        return generate_latest(registry)


def add_up_the_dead() -> None:
    """Call with the folder locked. A process that dies right before the last step is counted twice:
    better than a sum that shrinks.
    """
    folder = _folder()
    dead = [life.stem for life in folder.glob("*.life") if not _is_held(life)]
    if not dead:
        return
    for kind in KINDS:
        sums = folder / f"{kind}_{ENDED}.db"
        theirs = [folder / f"{kind}_{name}.db" for name in dead]
        _write_sums(sums, [file for file in (sums, *theirs) if _is_whole(file)])
        for file in theirs:
            file.unlink(missing_ok=True)
    for name in dead:
        (folder / f"{name}.life").unlink(missing_ok=True)


def _write_sums(path: Path, files: Sequence[Path]) -> None:
    """A new file takes the place of the old one at once, so no reader sees half of it."""
    new = path.with_suffix(".new")
    new.write_bytes(bytes(max([FILE_BYTES, *(file.stat().st_size for file in files)])))
    sums = MmapedDict(str(new))
    for metric in MultiProcessCollector.merge([str(file) for file in files], accumulate=False):
        for sample in metric.samples:
            names, label_values = list(sample.labels), list(sample.labels.values())
            key = mmap_key(metric.name, sample.name, names, label_values, metric.documentation)
            sums.write_value(key, sample.value, 0.0)
    sums.close()
    new.replace(path)


def _is_whole(file: Path) -> bool:
    try:
        MultiProcessCollector.merge([str(file)], accumulate=False)
    except FileNotFoundError:
        return False
    except _HALF_WRITTEN as error:
        logger.warning("counts are lost, %s cannot be read: %s", file.name, error)
        return False
    return True


def _folder() -> Path:
    return Path(settings.DATA_DIR) / "metrics"


@contextmanager
def _folder_locked() -> Iterator[None]:
    with (_folder() / "lock").open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _locked_for_life(path: Path) -> IO[bytes]:
    file = path.open("wb")
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return file


def _is_held(path: Path) -> bool:
    """The lock that this tries for ends with the file."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
