"""All kinds of pushes, by the code that a row keeps."""

from __future__ import annotations

from django.utils.translation import gettext as _

from wechat.events import Event
from wechat.incoming import KINDS, Incoming, Unsupported

_ALL: tuple[type[Incoming], ...] = (*KINDS.values(), Unsupported)
BY_CODE = {kind.kind: kind for kind in _ALL}


def kind_of(code: str) -> type[Incoming]:
    """A newer version may have stored a kind that this one does not know."""
    kind = BY_CODE.get(code)
    if kind is None:
        return Event if is_event(code) else Unsupported
    return kind


def is_event(code: str) -> bool:
    return code.startswith("event.")


def label_of(code: str) -> str:
    """A kind that this version does not know keeps its code: better than nothing."""
    kind = BY_CODE.get(code)
    return str(kind.traits.label) if kind is not None else _("其他推送（%s）") % code
