from django.apps import AppConfig

# Every process that publishes needs the Celery application before the first task is imported.
from wechatbot.celery import app as celery_app

__all__ = ["WechatbotConfig", "celery_app"]


class WechatbotConfig(AppConfig):
    """The house itself: commands and pages that touch several packages."""

    name = "wechatbot"
    verbose_name = "wechatbot"
