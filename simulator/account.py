"""The account's switches on WeChat's side, and how ours learns of them."""

from __future__ import annotations

from simulator.live import tell_account
from simulator.models import Fault, Mode, SimulatedAccount
from wechat import accounts
from wechat.models import OfficialAccount


class NoSuchSwitch(Exception):
    pass


def switch(name: str, value: object) -> SimulatedAccount:
    """Throw one switch of the top bar: verified, mode, or a fault."""
    account = SimulatedAccount.current()
    if name == "mode" and value in Mode.values:
        account.mode = str(value)
    elif name in ("verified", *Fault.values) and isinstance(value, bool):
        setattr(account, name, value)
    else:
        raise NoSuchSwitch
    account.save(update_fields=[name])
    if name == "verified":
        _tell_our_side(account)
    tell_account(account)
    return account


def our_account(account: SimulatedAccount) -> OfficialAccount | None:
    return OfficialAccount.objects.filter(app_id=account.app_id).first()


def _tell_our_side(account: SimulatedAccount) -> None:
    """What 48001, or an operator after verification, would do: our account changes its way to reply
    at once.
    """
    ours = our_account(account)
    if ours is None:
        return
    if account.verified:
        accounts.try_api_again(ours.pk)
    else:
        accounts.turn_passive(ours.pk)
