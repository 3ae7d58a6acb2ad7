"""The kinds of pushes in the words of somebody who reads them. The codes are those of
`wechat.incoming`.
"""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

MESSAGES: dict[str, str | Promise] = {
    "text": gettext_lazy("文字"),
    "image": gettext_lazy("图片"),
    "voice": gettext_lazy("语音"),
    "video": gettext_lazy("视频"),
    "shortvideo": gettext_lazy("小视频"),
    "location": gettext_lazy("位置"),
    "link": gettext_lazy("链接"),
    "miniprogrampage": gettext_lazy("小程序卡片"),
    "unsupported": gettext_lazy("看不懂的推送"),
}
EVENTS: dict[str, str | Promise] = {
    "event.subscribe": gettext_lazy("关注"),
    "event.unsubscribe": gettext_lazy("取消关注"),
    "event.scan": gettext_lazy("扫描带参数二维码"),
    "event.location": gettext_lazy("上报位置"),
    "event.click": gettext_lazy("点击菜单"),
    "event.view": gettext_lazy("点击菜单链接"),
    "event.view_miniprogram": gettext_lazy("点击菜单小程序"),
    "event.scancode_push": gettext_lazy("菜单扫码"),
    "event.scancode_waitmsg": gettext_lazy("菜单扫码并等待"),
    "event.pic_sysphoto": gettext_lazy("菜单拍照"),
    "event.pic_photo_or_album": gettext_lazy("菜单拍照或选图"),
    "event.pic_weixin": gettext_lazy("菜单选图"),
    "event.location_select": gettext_lazy("菜单选择位置"),
    "event.templatesendjobfinish": gettext_lazy("模板消息送达结果"),
    "event.masssendjobfinish": gettext_lazy("群发结果"),
    "event.subscribe_msg_popup_event": gettext_lazy("订阅通知选择"),
    "event.subscribe_msg_change_event": gettext_lazy("订阅通知变更"),
    "event.subscribe_msg_sent_event": gettext_lazy("订阅通知送达结果"),
    "event.kf_create_session": gettext_lazy("微信客服会话开始"),
    "event.kf_close_session": gettext_lazy("微信客服会话结束"),
    "event.kf_switch_session": gettext_lazy("微信客服会话转接"),
    "event.qualification_verified": gettext_lazy("资质认证成功"),
    "event.qualification_refused": gettext_lazy("资质认证失败"),
    "event.naming_verified": gettext_lazy("名称认证成功"),
    "event.naming_refused": gettext_lazy("名称认证失败"),
    "event.annual_renew": gettext_lazy("认证年审提醒"),
    "event.verify_expired": gettext_lazy("认证过期"),
}
KINDS = {**MESSAGES, **EVENTS}


def in_words(kind: str) -> str:
    """A kind that a newer version stored keeps its name: better than nothing."""
    return str(KINDS[kind]) if kind in KINDS else _("其他推送（%s）") % kind
