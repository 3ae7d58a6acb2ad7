from django.apps import AppConfig
from django.utils.translation import pgettext_lazy

from conversations.saying import register
from tickets import moments


class TicketsConfig(AppConfig):
    name = "tickets"
    verbose_name = pgettext_lazy("many", "工单")

    def ready(self) -> None:
        register(moments.MOMENTS)
