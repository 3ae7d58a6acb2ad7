"""The words of the page that its JavaScript needs, in the reader's language."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext as _

from simulator.models import Mode, Outcome
from wechat.kinds import BY_CODE


def page_texts() -> dict[str, object]:
    return {
        "outcomes": _labels(Outcome),
        "modes": _labels(Mode),
        "kinds": _kinds(),
        "reasons": _reasons(),
        **_words(),
    }


def _labels(choices: type[TextChoices]) -> dict[str, str]:
    return {choice.value: str(choice.label) for choice in choices}


def _kinds() -> dict[str, str]:
    return {
        **{code: str(kind.traits.label) for code, kind in BY_CODE.items()},
        "token": _("获取 token"),
        "stable_token": _("获取稳定版 token"),
        "message/custom/send": _("客服消息"),
        "message/custom/typing": _("正在输入"),
        "openapi/quota/get": _("查询额度"),
        "getcallbackip": _("回调 IP"),
        "get_api_domain_ip": _("接口 IP"),
    }


def _reasons() -> dict[str, str]:
    return {
        "http_status": _("状态码不是 200，微信显示故障提示"),
        "not_encrypted": _("安全模式下的回复没有加密"),
        "bad_signature": _("回复的 MsgSignature 不对"),
        "wrong_app_id": _("回复里的 AppID 不对"),
        "not_decryptable": _("回复无法解密"),
        "not_xml": _("回复不是 XML"),
        "wrong_root": _("XML 的根元素不是 xml"),
        "wrong_names": _("ToUserName 或 FromUserName 不对"),
        "bad_create_time": _("CreateTime 不是整数"),
        "unknown_kind": _("不支持的 MsgType"),
        "empty_text": _("Content 为空"),
        "too_long": _("Content 超过 2048 字节"),
    }


def _words() -> dict[str, str]:
    return {
        "followed": _("已关注，可以开始对话"),
        "unfollowed": _("已取消关注"),
        "image": _("图片"),
        "location": _("位置"),
        "ai_generated": _("内容由第三方 AI 生成"),
        "verified_account": _("已认证公众号"),
        "unverified_account": _("未认证公众号"),
        "typing": _("对方正在输入…"),
        "sending": _("等待应答"),
        "delivery": _("第 %s 次投递"),
        "window_message": _("48 小时窗口"),
        "window_event": _("1 分钟窗口"),
        "window_left": _("还可发 %s 条，剩 %s"),
        "window_closed": _("已关闭"),
        "hours_minutes": _("%s 小时 %s 分"),
        "minutes_seconds": _("%s 分 %s 秒"),
        "seconds": _("%s 秒"),
        "request": _("请求"),
        "response": _("应答"),
        "clear_xml": _("加密前"),
        "wire_xml": _("加密后"),
        "decrypted": _("解密后"),
        "as_received": _("收到的"),
        "body": _("正文"),
        "query": _("地址与参数"),
        "empty_body": _("（空）"),
        "no_response": _("没有收到应答"),
        "copy": _("复制"),
        "copied": _("已复制"),
        "loading_failed": _("没有读到内容。"),
        "again": _("重试"),
        "offline": _("连接中断，正在重连…"),
        "not_reached": _("没有连上服务器，请重试。"),
        "logged_out": _("登录已失效，请重新登录。"),
        "ms": _("%s 毫秒"),
        "colon": _("："),
        "faults_on": _("故障（%s）"),
        "faults": _("故障"),
        "yesterday": _("昨天"),
    }
