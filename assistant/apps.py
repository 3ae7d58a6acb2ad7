from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from assistant import moments
from conversations.saying import register


class AssistantConfig(AppConfig):
    name = "assistant"
    verbose_name = _("助手")

    def ready(self) -> None:
        register(moments.MOMENTS)
