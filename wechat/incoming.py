"""What a customer sends: one frozen dataclass for each kind of message, and the base of messages
and events.

A field names the XML element that it is read from. The decorator of a class declares what the kind
is (`traits`) and enters the class into `KINDS`.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, dataclass, field
from dataclasses import fields as fields_of
from typing import Any, ClassVar, NamedTuple, Self, TypeVar

from django.utils.translation import gettext_lazy as _

from wechat.fields import Fields, Useless
from wechat.traits import Expects, Opens, Speech, Traits, Words

# As wide as the columns that keep them.
MAX_OPENID = 64
MAX_DEDUP_KEY = 160

# By MsgType, and for events by "event" and the name of the event; all in lower case.
KINDS: dict[tuple[str, str], type[Incoming]] = {}


def text_of(path: str, *others: str, formerly: str = "") -> Any:
    """A field read from the first of these elements that is there and not empty. `formerly` is its
    name in rows that an older version stored.
    """

    def read(found: Fields) -> str:
        return next((value for one in (path, *others) if (value := found.text(one))), "")

    return field(default="", metadata={"read": read, "formerly": formerly})


def number_of(path: str) -> Any:
    return field(default=0.0, metadata={"read": lambda found: found.number(path)})


def count_of(path: str) -> Any:
    return field(
        default=0, metadata={"read": lambda found: found.integer(path) if found.text(path) else 0}
    )


def needed(path: str) -> Any:
    """A field without which the push is of no use."""

    def read(found: Fields) -> str:
        if not (value := found.text(path)).strip():
            raise Useless(f"{path} is missing")
        return value

    return field(metadata={"read": read})


@dataclass(frozen=True, kw_only=True)
class Incoming(ABC):
    """A push of WeChat, understood. `created` is WeChat's clock, in unix seconds."""

    kind: ClassVar[str]
    traits: ClassVar[Traits]
    is_message: ClassVar[bool] = False
    # Kept in columns of their own, or part of the key.
    _not_stored: ClassVar[frozenset[str]] = frozenset({"openid", "to", "created", "msg_id", "raw"})

    openid: str = needed("FromUserName")
    to: str = needed("ToUserName")
    created: int = field(metadata={"read": lambda found: found.integer("CreateTime")})

    @classmethod
    def read(cls, found: Fields) -> Self:
        incoming = cls(**{name: read(found) for name, read in _readers(cls)})
        if len(incoming.openid) > MAX_OPENID:
            raise Useless("FromUserName is too long")
        return incoming

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any], **columns: Any) -> Self:
        """The push again: from its `stored_fields()` and, by their names here, the columns that
        keep the rest.
        """
        storage = _storage(cls)
        values = {name: columns[name] for name in storage.in_columns}
        if stored:
            values.update(_found_in(stored, storage.in_fields))
        return cls(**values)

    @property
    def question(self) -> str:
        """The customer's words, where there are any."""
        return ""

    @property
    def tapped(self) -> str:
        """The id of the option that the customer tapped, where the push is a tap."""
        return ""

    @property
    def opens(self) -> Opens:
        return self.traits.opens

    @property
    @abstractmethod
    def dedup_key(self) -> str:
        """Equal for the deliveries of one push, and for nothing else."""

    def stored_fields(self) -> dict[str, Any]:
        """What is particular to the kind, fit for JSON; empty values are left out."""
        named = {name: getattr(self, name) for name, _ in _readers(type(self))}
        return {
            name: _plain(value)
            for name, value in named.items()
            if value and name not in self._not_stored
        }


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


Reader = Callable[[Fields], Any]
_READERS: dict[type[Incoming], tuple[tuple[str, Reader], ...]] = {}


def _readers(kind: type[Incoming]) -> tuple[tuple[str, Reader], ...]:
    """Name and reader of each field, kept: `dataclasses.fields` builds its answer anew for every
    push.
    """
    if kind not in _READERS:
        _READERS[kind] = tuple(
            (one.name, one.metadata.get("read", _not_read)) for one in fields_of(kind)
        )
    return _READERS[kind]


def _not_read(found: Fields) -> Any:
    raise TypeError("made by the parser, not read from fields")


class _InFields(NamedTuple):
    """A field that is kept in the row's `fields`: the keys it may have there, and what makes its
    value again.
    """

    name: str
    keys: tuple[str, ...]
    restored: Callable[[Any], Any]


class _Storage(NamedTuple):
    """Where a row keeps the fields of a kind: in columns of their own, or in its `fields`."""

    in_columns: tuple[str, ...]
    in_fields: tuple[_InFields, ...]


_STORAGE: dict[type[Incoming], _Storage] = {}


def _storage(kind: type[Incoming]) -> _Storage:
    if kind not in _STORAGE:
        own = fields_of(kind)
        in_columns = tuple(one.name for one in own if one.name in kind._not_stored)
        in_fields = tuple(_in_fields(one) for one in own if one.name not in kind._not_stored)
        _STORAGE[kind] = _Storage(in_columns, in_fields)
    return _STORAGE[kind]


def _in_fields(one: Field[Any]) -> _InFields:
    former = one.metadata.get("formerly")
    keys = (one.name, former) if former else (one.name,)
    return _InFields(one.name, keys, one.metadata.get("restored", _restored))


def _found_in(
    stored: Mapping[str, Any], in_fields: tuple[_InFields, ...]
) -> Iterator[tuple[str, Any]]:
    for name, keys, restored in in_fields:
        for key in keys:
            if key in stored:
                yield name, restored(stored[key])
                break


def _restored(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def short_key(key: str) -> str:
    """A key that fits its column: the tail of a longer one becomes a digest of the whole."""
    if len(key) <= MAX_DEDUP_KEY:
        return key
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{key[: MAX_DEDUP_KEY - len(digest) - 1]}:{digest}"


K = TypeVar("K", bound=type[Incoming])


def message(msg_type: str, label: Words, look: Speech) -> Callable[[K], K]:
    """Enter a class for messages of this type. Whoever sends a message expects an answer."""

    def register(cls: K) -> K:
        cls.kind = msg_type
        cls.traits = Traits(label, Expects.ANSWER, Opens.MESSAGE_WINDOW, look, is_counted=True)
        KINDS[msg_type, ""] = cls
        return cls

    return register


@dataclass(frozen=True, kw_only=True)
class IncomingMessage(Incoming):
    """Something the customer sent. `article_id` and `article_index` are there when it came from an
    article.
    """

    is_message: ClassVar[bool] = True

    msg_id: str = field(metadata={"read": lambda found: _msg_id(found)})
    article_id: str = text_of("MsgDataId")
    article_index: str = text_of("Idx")

    @property
    def dedup_key(self) -> str:
        return short_key(f"{self.openid}:{self.msg_id}")


def _msg_id(found: Fields) -> str:
    """Old samples spell it MsgID."""
    if not (msg_id := (found.text("MsgId") or found.text("MsgID")).strip()):
        raise Useless("MsgId is missing")
    return msg_id


@message("text", _("文字"), Speech())
@dataclass(frozen=True, kw_only=True)
class IncomingText(IncomingMessage):
    """`option_id` is set when the customer tapped an option of a message with choices (msgmenu), or
    a tap link; some clients leave it out.
    """

    _not_stored: ClassVar[frozenset[str]] = Incoming._not_stored | {"text"}

    text: str = needed("Content")
    option_id: str = text_of("bizmsgmenuid", formerly="menu_id")

    @property
    def question(self) -> str:
        return self.text

    @property
    def tapped(self) -> str:
        return self.option_id

    @property
    def opens(self) -> Opens:
        """For WeChat a tap is an event, although it comes as a text."""
        return Opens.EVENT_WINDOW if self.option_id else self.traits.opens


@message("image", _("图片"), Speech(_("[图片]"), picture="url"))
@dataclass(frozen=True, kw_only=True)
class IncomingImage(IncomingMessage):
    media_id: str = text_of("MediaId")
    url: str = text_of("PicUrl")


@message("voice", _("语音"), Speech(_("[语音]")))
@dataclass(frozen=True, kw_only=True)
class IncomingVoice(IncomingMessage):
    """`recognition` is WeChat's own transcript, which it hardly makes any more."""

    media_id: str = text_of("MediaId")
    media_id_16k: str = text_of("MediaId16K")
    format: str = text_of("Format")
    recognition: str = text_of("Recognition")

    @property
    def question(self) -> str:
        return self.recognition


@message("video", _("视频"), Speech(_("[视频]")))
@dataclass(frozen=True, kw_only=True)
class IncomingVideo(IncomingMessage):
    media_id: str = text_of("MediaId")
    thumb_media_id: str = text_of("ThumbMediaId")


@message("shortvideo", _("小视频"), Speech(_("[小视频]")))
@dataclass(frozen=True, kw_only=True)
class IncomingShortVideo(IncomingVideo):
    pass


@message("location", _("位置"), Speech(_("[位置]"), shows=("label",)))
@dataclass(frozen=True, kw_only=True)
class IncomingLocation(IncomingMessage):
    latitude: float = number_of("Location_X")
    longitude: float = number_of("Location_Y")
    scale: str = text_of("Scale")
    label: str = text_of("Label")


@message("link", _("链接"), Speech(_("[链接]"), shows=("title", "url")))
@dataclass(frozen=True, kw_only=True)
class IncomingLink(IncomingMessage):
    title: str = text_of("Title")
    description: str = text_of("Description")
    url: str = text_of("Url")


@message("miniprogrampage", _("小程序卡片"), Speech(_("[小程序卡片]"), shows=("title",)))
@dataclass(frozen=True, kw_only=True)
class IncomingMiniProgramPage(IncomingMessage):
    app_id: str = text_of("AppId")
    title: str = text_of("Title")
    page_path: str = text_of("PagePath")
    thumb_url: str = text_of("ThumbUrl")
    thumb_media_id: str = text_of("ThumbMediaId")


@dataclass(frozen=True, kw_only=True)
class Unsupported(Incoming):
    """Truly from WeChat, but of no use to us: an unknown kind, or one without what makes it one.
    The raw XML is kept.

    `openid`, `to` and `created` are what could be read, else empty.
    """

    kind: ClassVar[str] = "unsupported"
    traits: ClassVar[Traits] = Traits(
        _("看不懂的推送"),
        opens=Opens.MESSAGE_WINDOW,
        look=Speech(_("[看不懂的消息]")),
        is_counted=True,
    )

    raw: str
    msg_type: str = ""
    event: str = ""
    msg_id: str = ""

    @property
    def dedup_key(self) -> str:
        if self.openid and self.msg_id:
            return short_key(f"{self.openid}:{self.msg_id}")
        return "raw:" + hashlib.sha256(self.raw.encode("utf-8", "surrogatepass")).hexdigest()
