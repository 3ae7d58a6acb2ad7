"""The accounts as every request needs them: frozen, cached per process, at most 5 s late."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import MappingProxyType

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.utils import timezone

from common.fresh import Fresh
from wechat.crypto import Account
from wechat.models import OfficialAccount, ReplyMode
from wechat.tokens import drop_token

__all__ = [
    "Account",
    "AccountsUnknown",
    "by_id",
    "by_slug",
    "cached",
    "changed",
    "ensure_from_environment",
    "make_default",
    "namespace",
    "note_refused_plain",
    "try_api_again",
    "turn_passive",
]

logger = logging.getLogger(__name__)

VERSION_KEY = "wechat:accounts:version"
# Below the five seconds that are promised, so that a slow look is still in time.
CHECK_EVERY = 4.0
# How long a push waits for a look before it goes on with the copy there is, or gives up without
# any. Others go on.
PUSH_WAITS = 0.2
PUSH_WAITS_AT_FIRST = 3.0
# A look that failed, or takes too long, is not asked for again by every push.
LOOK_PAUSE = 1.0


class AccountsUnknown(Exception):
    """The database has not answered since this process began: nobody can tell
    whose push this is.
    """


@dataclass(frozen=True)
class Snapshot:
    by_slug: Mapping[str, Account]
    by_id: Mapping[int, Account]
    default: Account | None
    first_id: int | None


class _Looker:
    """Looks at the accounts for the event loop, which never stands still for it: one look at a
    time, in a thread.
    """

    def __init__(self) -> None:
        self.wait_until = float("-inf")
        self._threads: ThreadPoolExecutor | None = None
        self._look: Future[None] | None = None

    async def wait_for_look(self) -> None:
        if time.monotonic() < self.wait_until:
            return
        if self._look is None or self._look.done():
            self._threads = self._threads or ThreadPoolExecutor(1, thread_name_prefix="accounts")
            self._look = self._threads.submit(_look_and_close)
        patience = PUSH_WAITS if snapshot.known else PUSH_WAITS_AT_FIRST
        try:
            await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(self._look)), patience)
        except TimeoutError:
            self._pause("looking for changed accounts takes long")
        except (DatabaseError, InterfaceError) as error:
            self._pause(f"the accounts cannot be read: {error}")

    def forget(self) -> None:
        """Look again at once (for tests)."""
        self.wait_until = float("-inf")

    def _pause(self, why: str) -> None:
        if time.monotonic() >= self.wait_until:  # The first of those who waited says it for all.
            logger.warning(why)
            self.wait_until = time.monotonic() + LOOK_PAUSE


def by_slug(slug: str | None) -> Account | None:
    """The account of `/wechat/<slug>`, None for that of `/wechat`. May read the database: not for
    the event loop.
    """
    return _of_slug(snapshot.get(), slug)


def by_id(account_id: int) -> Account:
    """Also an account that was switched off meanwhile: what came in before is still answered."""
    account = snapshot.get().by_id.get(account_id)
    return account if account is not None else _account(OfficialAccount.objects.get(pk=account_id))


def namespace(account_id: int) -> str:
    """What tells this account's entries in a shared store from those of others: nothing for the
    first account.

    The first is the oldest, not the default one: that may change, and then two accounts would have
    had one name.
    """
    first = snapshot.get().first_id
    return "" if first is None or account_id == first else str(account_id)


async def cached(slug: str | None) -> Account | None:
    """`by_slug` for the event loop: a look at the database happens in a thread, one for all who ask
    meanwhile.
    """
    if not snapshot.is_fresh:
        await looker.wait_for_look()
    known = snapshot.known
    if known is None:
        raise AccountsUnknown("the accounts could not be read yet")
    return _of_slug(known, slug)


def changed() -> None:
    """Call after every write of an account: all processes read the rows again."""
    snapshot.changed()


def turn_passive(account_id: int) -> None:
    """WeChat said 48001: this account has no customer-service API, from now on it replies
    passively.
    """
    rows = OfficialAccount.objects.filter(pk=account_id, api_refused_at=None)
    if rows.update(api_refused_at=timezone.now()):
        logger.warning(
            "account %s is not verified (48001): from now on it replies passively only", account_id
        )
        changed()


def try_api_again(account_id: int) -> None:
    """The operator says that the account is verified now."""
    OfficialAccount.objects.filter(pk=account_id).update(api_refused_at=None)
    changed()


def note_refused_plain(account_id: int) -> None:
    """For the account's page, which tells the operator what to change at WeChat."""
    OfficialAccount.objects.filter(pk=account_id).update(plain_refused_at=timezone.now())


def make_default(account: OfficialAccount) -> None:
    """There is one default account: the newest to be named so."""
    OfficialAccount.objects.exclude(pk=account.pk).update(is_default=False)
    OfficialAccount.objects.filter(pk=account.pk).update(is_default=True)
    changed()


def ensure_from_environment() -> OfficialAccount | None:
    """Create or refresh the account that the environment names. An account it no longer names
    becomes the admin's.
    """
    app_id = settings.WECHAT_APP_ID
    with transaction.atomic():
        OfficialAccount.objects.filter(from_environment=True).exclude(app_id=app_id).update(
            from_environment=False
        )
        account = _from_environment(app_id) if app_id else None
    changed()
    return account


def _from_environment(app_id: str) -> OfficialAccount:
    account = OfficialAccount.objects.filter(app_id=app_id).first() or _new_account(app_id)
    before = (account.app_secret, account.reply_mode)
    account.replace_aes_key(settings.WECHAT_ENCODING_AES_KEY)
    account.app_secret, account.token = settings.WECHAT_APP_SECRET, settings.WECHAT_TOKEN
    account.reply_mode = settings.WECHAT_REPLY_MODE
    account.encrypted_only = settings.WECHAT_ENCRYPTED_ONLY
    account.from_environment, account.enabled, account.is_default = True, True, True
    if before != (account.app_secret, account.reply_mode):
        account.api_refused_at = None
        drop_token(app_id)
    try:
        account.full_clean()
    except ValidationError as error:
        raise ImproperlyConfigured(f"WECHAT_…: {'; '.join(error.messages)}") from error
    account.save()
    make_default(account)
    return account


def _new_account(app_id: str) -> OfficialAccount:
    slug, name = (
        ("simulator", "模拟公众号") if settings.WECHAT_IS_SIMULATED else ("default", "公众号")
    )
    if OfficialAccount.objects.filter(slug=slug).exists():
        slug = app_id.lower()
    return OfficialAccount(app_id=app_id, slug=slug, name=name, reply_mode=ReplyMode.AUTO)


def _of_slug(known: Snapshot, slug: str | None) -> Account | None:
    return known.default if slug is None else known.by_slug.get(slug)


def _load() -> Snapshot:
    rows = OfficialAccount.objects.order_by("-is_default", "pk")
    by_id = {row.pk: _account(row) for row in rows}
    enabled = [by_id[row.pk] for row in rows if row.enabled]
    return Snapshot(
        by_slug=MappingProxyType({one.slug: one for one in enabled}),
        by_id=MappingProxyType(by_id),
        default=enabled[0] if enabled else None,
        first_id=min(by_id, default=None),
    )


def _account(row: OfficialAccount) -> Account:
    return Account(
        account_id=row.pk,
        slug=row.slug,
        app_id=row.app_id,
        token=row.token,
        app_secret=row.app_secret,
        aes_key=row.aes_key,
        previous_aes_key=row.previous_aes_key,
        previous_until=_previous_until(row),
        encrypted_only=row.takes_sealed_only,
        may_send=row.may_send,
        original_id=row.original_id,
        name=row.name,
    )


def _previous_until(account: OfficialAccount) -> float:
    until = account.previous_key_until
    return 0.0 if until is None else until.timestamp()


def _look_and_close() -> None:
    try:
        snapshot.get()
    finally:
        connection.close()


snapshot = Fresh(_load, of="accounts", every=CHECK_EVERY, version_key=VERSION_KEY)
looker = _Looker()
