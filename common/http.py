"""Outgoing HTTP: one shared session per process for each kind of endpoint."""

from __future__ import annotations

import requests
from requests.adapters import HTTPAdapter


def make_session(*, pool_size: int = 256) -> requests.Session:
    """A session with a large pool that reads no proxy or netrc from the environment and follows no
    redirects by itself.

    A redirect of an API endpoint is a misconfiguration, and following one could carry a key to
    another host.
    """
    session = requests.Session()
    session.trust_env = False
    session.max_redirects = 0
    adapter = HTTPAdapter(pool_connections=16, pool_maxsize=pool_size)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session
