"""What staff read of a failed model call, in their language. Rows and logs keep English.

Only our own words are translated: what a provider wrote stands as it came.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

WORDS = {
    "time-out": _("超时"),
    "private address, not in ALLOWED_PRIVATE_HOSTS": _("内网地址，未列入 ALLOWED_PRIVATE_HOSTS"),
    "an error without a message": _("出错，没有说明"),
    "cannot connect or no answer": _("连不上，或没有回应"),
    "cannot be asked": _("无法调用"),
    ": look at the address and the key": _("：请检查地址和密钥"),
    "cut off": _("连接中断"),
    "empty body": _("返回内容为空"),
    "neither a stream nor a completion": _("返回的既不是流也不是完整回答"),
    "the stream ended in the middle": _("回答在中途断开"),
    "the body is too large": _("返回内容过大"),
    "failed several times in a row, rests": _("连续失败，暂停调用"),
    " calls are under way": _(" 个调用正在进行"),
    "not JSON": _("不是 JSON"),
    "unknown shape": _("格式不认识"),
    "no choices or empty text": _("没有回答，或回答为空"),
    "called a tool that it was not given": _("调用了没有提供给它的工具"),
    "broken JSON in the arguments": _("工具参数不是完整的 JSON"),
    "the arguments are not an object": _("工具参数不是对象"),
}


def explained(stored: str) -> str:
    for english, words in WORDS.items():
        stored = stored.replace(english, str(words))
    return stored
