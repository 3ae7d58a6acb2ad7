"""docker/ names nothing that does not exist. (No engine builds the image here.)"""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.stack import ROOT
from wechatbot.supervisor.one import programs

DOCKER = ROOT / "docker"


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return dict(yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))["services"])


def test_it_runs_the_programs_that_serve_runs(services: dict[str, Any]) -> None:
    known = programs({})

    started = {service["command"][3] for service in services.values() if _is_ours(service)}

    assert started == set(known)


def test_every_container_of_ours_waits_for_the_database_to_be_ready(services: dict[str, Any]) -> None:
    waiting = [service["depends_on"] for service in services.values() if _is_ours(service)]

    assert len(waiting) == 3
    assert all(needs["prepare"]["condition"] == "service_completed_successfully" for needs in waiting)
    assert all({"mysql", "redis"} <= needs.keys() for needs in waiting)


def test_it_mounts_files_that_are_there(services: dict[str, Any]) -> None:
    mounted = [volume.split(":")[0] for volume in services["nginx"]["volumes"]]

    assert [path for path in mounted if path != "./certificates" and not (DOCKER / path).exists()] == []


def test_it_fits_into_four_gigabytes(services: dict[str, Any]) -> None:
    limits = [int(service["mem_limit"].removesuffix("m")) for service in services.values() if "mem_limit" in service]

    assert len(limits) == len(services) - 1  # `prepare` ends before the others begin.
    assert sum(limits) <= 3584


def test_the_image_is_not_root_and_copies_what_is_there() -> None:
    lines = (DOCKER / "Dockerfile").read_text(encoding="utf-8")

    assert re.findall(r"^USER (\w+)$", lines, re.MULTILINE) == ["wechatbot"]
    copied = re.findall(r"^COPY (?!--from)(\S+) ", lines, re.MULTILINE)
    assert copied
    assert all((ROOT / source).exists() for source in copied)


def _is_ours(service: dict[str, Any]) -> bool:
    return "wechatbot.supervisor.one" in (service.get("command") or [])
