"""Access tokens of the simulated API: two endpoints with a token each, as WeChat has them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from simulator.api_errors import Refused
from simulator.models import AccessToken, SimulatedAccount

LIFETIME = timedelta(seconds=7200)
OVERLAP = timedelta(minutes=5)
FORCED_AT_MOST_EVERY = timedelta(seconds=30)
_NORMAL, _STABLE = AccessToken.Endpoint.NORMAL, AccessToken.Endpoint.STABLE


def new_token(now: datetime) -> AccessToken:
    """`/cgi-bin/token`: each call makes a new one; the one before it stays
    good for five minutes.
    """
    with _alone():
        return _replace(_NORMAL, now, overlap=OVERLAP)


def stable_token(now: datetime, *, force: bool) -> AccessToken:
    """`/cgi-bin/stable_token`: the same until five minutes before its end; forced: a new one, the
    old dies at once.
    """
    with _alone():
        newest = (
            AccessToken.objects.filter(endpoint=_STABLE, valid_until__gt=now)
            .order_by("-created_at")
            .first()
        )
        if newest and force and newest.created_at + FORCED_AT_MOST_EVERY <= now:
            return _replace(_STABLE, now, overlap=timedelta(0))
        if newest and newest.expires_at - OVERLAP > now:
            return newest
        return _replace(_STABLE, now, overlap=OVERLAP)


def check(value: str, now: datetime) -> None:
    if not value:
        raise Refused(41001, "access_token missing")
    token = AccessToken.objects.filter(value=value).first()
    if token is None:
        raise Refused(40001, "invalid credential, access_token is invalid or not latest")
    if token.expires_at <= now:
        raise Refused(42001, "access_token expired")
    if token.valid_until <= now:
        raise Refused(40001, "invalid credential, access_token is invalid or not latest")


def revoke(value: str) -> None:
    """WeChat takes a token back before its time."""
    AccessToken.objects.filter(value=value).update(valid_until=timezone.now())


@contextmanager
def _alone() -> Iterator[None]:
    """Calls from several processes wait for each other at the account's row."""
    account = SimulatedAccount.current()
    with transaction.atomic():
        SimulatedAccount.objects.select_for_update().get(pk=account.pk)
        yield


def _replace(endpoint: AccessToken.Endpoint, now: datetime, *, overlap: timedelta) -> AccessToken:
    earlier = AccessToken.objects.filter(endpoint=endpoint)
    earlier.filter(expires_at__lt=now - timedelta(days=1)).delete()
    earlier.filter(valid_until__gt=now + overlap).update(valid_until=now + overlap)
    return AccessToken.objects.create(
        value=secrets.token_urlsafe(102),
        endpoint=endpoint,
        created_at=now,
        expires_at=now + LIFETIME,
        valid_until=now + LIFETIME,
    )
