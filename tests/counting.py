"""What this process has counted so far: tests look at the difference."""

from __future__ import annotations

from prometheus_client import REGISTRY

from common.metrics import NAMESPACE


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"{NAMESPACE}_{name}", labels) or 0.0
