"""The moments at which a reply on its way needs words: it takes longer, or there is more of it."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from conversations.saying import LookLink, Moment, Saying

_LINK = frozenset({"link"})

MOMENTS = (
    Moment(
        "thinking", _("还在查询"), _("正在为您查询，请稍等几秒后{link}。"), needs=_LINK, keeps=_LINK
    ),
    Moment("thinking_link", _("还在查询：链接"), _("点这里查看回答")),
    Moment("more", _("未完待续"), _("（未完，{link}）"), needs=_LINK, keeps=_LINK),
    Moment("more_link", _("未完待续：链接"), _("点这里看下一页")),
    # Beside every link that fetches: WeChat on a computer shows such a link, but cannot tap it.
    Moment(
        "look_words",
        _("链接旁的文字"),
        _("{link}，或回复「{words}」"),
        needs=frozenset({"link", "words"}),
        keeps=_LINK,
    ),
)

# For the last delivery of a push that has no answer yet.
THINKING = Saying("thinking", link=LookLink("thinking_link"))
# Behind the last part that goes out for now.
MORE = Saying("more", link=LookLink("more_link"))
