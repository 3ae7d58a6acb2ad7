"""Greetings, thanks and goodbyes: they get a text and never a ticket."""

from __future__ import annotations

import re
from typing import Literal

from common.text import Words, without_marks

Moment = Literal["greeting", "thanks", "goodbye", "not_understood"]

LONGEST = 40

_TONE = r"(?:啊|呀|哦|喔|哈|啦|了|的|吧|嘛|噢|哟|亲|老板|客服|小姐姐|大家|there)"
# Longer words stand before the shorter ones they begin with: the patterns below never look back.
_GREETING = (
    r"(?:你好吗|你好么|你好|您好|你们好|大家好|早上好|上午好|中午好|下午好|晚上好|早安|早|嗨|哈喽|哈罗|喂"
    r"|在吗|在么|在不在|有人吗|有人在吗|hello|hi|hey|good morning|good afternoon|good evening)"
)
_THANKS = (
    r"(?:非常感谢|十分感谢|太感谢|感谢您|感谢你|感谢|谢谢您|谢谢你|谢谢|多谢|谢了|辛苦|麻烦您|麻烦你|麻烦了"
    r"|好的|好滴|好|可以|行|明白|知道|了解|收到|嗯嗯|嗯"
    r"|okay|ok|thank you very much|thank you so much|thank you|thanks a lot|thanks|thx|got it)"
)
_GOODBYE = r"(?:再见|拜拜|拜|回见|下次见|晚安|bye bye|bye|goodbye|see you)"
_MEANS_THANKS = re.compile(r"谢|辛苦|麻烦|thank|thx")
# WeChat writes its own faces as [微笑] or /::) and its stickers as a text that names them.
_FACE = re.compile(r"\[[^\[\]]{1,8}\]|/:[^\s]{1,6}")
_KIND_FACE = re.compile(
    r"\[(?:微笑|愉快|强|玫瑰|抱拳|OK|鼓掌|爱心|握手|拥抱|合十|耶)\]|[👍👌🙏🌹🤝😊😄🙂❤]"
)


def _made_of(*kinds: str) -> re.Pattern[str]:
    # Possessive: a long pile of particles costs one pass.
    return re.compile(rf"(?:(?:{'|'.join(kinds)}|{_TONE})\s?)++")


_ONLY_GREETING = _made_of(_GREETING)
_ONLY_THANKS = _made_of(_THANKS, _GREETING)
_ONLY_GOODBYE = _made_of(_GOODBYE, _THANKS, _GREETING)


def moment_of(words: Words) -> Moment | None:
    """Which kind of small talk the whole message is, if it is nothing else."""
    if len(words.text) > LONGEST:
        return None
    said = without_marks(_FACE.sub(" ", words.alike))
    if not said:
        return "thanks" if _KIND_FACE.search(words.text) else "not_understood"
    for pattern, moment in (
        (_ONLY_GREETING, "greeting"),
        (_ONLY_THANKS, "thanks"),
        (_ONLY_GOODBYE, "goodbye"),
    ):
        if pattern.fullmatch(said):
            return moment  # type: ignore[return-value]
    return None


def may_answer_the_bot(words: Words) -> bool:
    """A bare "好的" or "嗯" can be the answer to what the bot just asked; "谢谢" cannot."""
    return moment_of(words) == "thanks" and not _MEANS_THANKS.search(words.folded)
