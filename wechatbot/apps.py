from django.apps import AppConfig


class WechatbotConfig(AppConfig):
    """The house itself: commands and pages that touch several packages."""

    name = "wechatbot"
    verbose_name = "wechatbot"
