from django.apps import AppConfig
from django.core.checks import register

# Every process that publishes needs the Celery application before the first task is imported.
from wechatbot.celery import app as celery_app
from wechatbot.checks import check_settings

__all__ = ["WechatbotConfig", "celery_app"]


class WechatbotConfig(AppConfig):
    """The house itself: commands and pages that touch several packages."""

    name = "wechatbot"
    verbose_name = "wechatbot"

    def ready(self) -> None:
        register(check_settings)
