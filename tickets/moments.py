"""The moments at which a customer hears about people: asked for, on their way, gone."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from conversations.saying import Moment

_LINK = frozenset({"link"})
_NUMBER = frozenset({"number"})

MOMENTS = (
    Moment(
        "handover",
        _("转人工，前面有人"),
        _("已为您转接人工客服，前面还有 {n} 位，请稍候。"),
        needs=frozenset({"n"}),
    ),
    Moment(
        "handover_next",
        _("转人工，前面没有人"),
        _("已为您转接人工客服，请稍候。"),
    ),
    Moment(
        "handover_waiting",
        _("转人工，客服不在线"),
        _("您的问题已记录（编号 {number}），人工客服上线后第一时间回复您。"),
        needs=_NUMBER,
    ),
    Moment(
        "handover_look", _("转人工后查看回复"), _("客服回复后{link}。"), needs=_LINK, keeps=_LINK
    ),
    Moment(
        "unknown",
        _("没有答案"),
        _("这个问题我暂时没有准确答案，已为您转给人工客服（编号 {number}）。"),
        needs=_NUMBER,
    ),
    Moment(
        "unknown_waiting",
        _("没有答案，客服不在线"),
        _("这个问题我暂时没有准确答案，已为您记录（编号 {number}），人工客服上线后在这里回复您。"),
        needs=_NUMBER,
    ),
    Moment(
        "model_busy",
        _("模型繁忙"),
        _("现在咨询的人较多，您的问题已记录（编号 {number}），稍后由人工回复您。"),
        needs=_NUMBER,
    ),
    Moment(
        "agent_receipt",
        _("人工接待中的回执"),
        _("已转人工，客服回复后{link}。"),
        needs=_LINK,
        keeps=_LINK,
    ),
    Moment("agent_receipt_link", _("查看人工回复：链接"), _("点这里查看")),
    Moment(
        "still_waiting",
        _("排队中"),
        _(
            "已转给人工客服，正在排队。您可以继续留言；常见问题我仍会回答。"
            "不再需要人工请回复「取消人工」。"
        ),
    ),
    Moment(
        "still_waiting_away",
        _("排队中，客服不在线"),
        _(
            "您的留言已记录，人工客服上线后在这里回复您。您可以继续留言；常见问题我仍会回答。"
            "不再需要人工请回复「取消人工」。"
        ),
    ),
    Moment(
        "waiting_on",
        _("排队中，再次来信"),
        _("您的消息已收到，还在为您排队，客服会按顺序在这里回复您。"),
    ),
    Moment("waiting_cancelled", _("取消人工"), _("已取消人工，您可以继续提问。")),
    Moment("back_to_bot", _("人工服务结束"), _("本次人工服务已结束，您可以继续向我提问。")),
)
