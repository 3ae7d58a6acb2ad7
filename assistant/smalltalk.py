"""Greetings, thanks and goodbyes: they get a text and never a ticket."""

from __future__ import annotations

import re
from typing import Literal

from assistant.vocabulary import any_of, words
from common.text import Words, without_marks

Moment = Literal["greeting", "thanks", "goodbye", "not_understood"]

LONGEST = 40

# WeChat writes its own faces as [微笑] or /::) and its stickers as a text that names them.
_FACE = re.compile(r"\[[^\[\]]{1,8}\]|/:[^\s]{1,6}")
_KIND_FACE = re.compile(rf"\[{any_of(words('small_talk', 'kind_faces'))}\]|[👍👌🙏🌹🤝😊😄🙂❤]")
_SURELY_THANKS = re.compile(any_of(words("small_talk", "surely_thanks")))


def _made_of(*kinds: str) -> re.Pattern[str]:
    # Possessive: a long pile of particles costs one pass.
    return re.compile(rf"(?:{any_of(words('small_talk', *kinds, 'tone'))}\s?)++")


_ONLY: tuple[tuple[Moment, re.Pattern[str]], ...] = (
    ("greeting", _made_of("greeting")),
    ("thanks", _made_of("thanks", "greeting")),
    ("goodbye", _made_of("goodbye", "thanks", "greeting")),
)


def moment_of(said: Words) -> Moment | None:
    """Which kind of small talk the whole message is, if it is nothing else."""
    if len(said.text) > LONGEST:
        return None
    without_faces = without_marks(_FACE.sub(" ", said.alike))
    if not without_faces:
        return "thanks" if _KIND_FACE.search(said.text) else "not_understood"
    for moment, pattern in _ONLY:
        if pattern.fullmatch(without_faces):
            return moment
    return None


def may_answer_the_bot(said: Words) -> bool:
    """A bare "好的" or "嗯" can be the answer to what the bot just asked; "谢谢" cannot."""
    return moment_of(said) == "thanks" and not _SURELY_THANKS.search(said.folded)
