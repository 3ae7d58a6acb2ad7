from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from conversations.saying import register
from webhook import moments


class WebhookConfig(AppConfig):
    name = "webhook"
    verbose_name = _("回调")

    def ready(self) -> None:
        register(moments.MOMENTS)
