from django.apps import AppConfig
from django.utils.translation import pgettext_lazy

from conversations import moments
from conversations.saying import register


class ConversationsConfig(AppConfig):
    name = "conversations"
    verbose_name = pgettext_lazy("many", "会话")

    def ready(self) -> None:
        register(moments.MOMENTS)
