from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class WechatConfig(AppConfig):
    name = "wechat"
    verbose_name = pgettext_lazy("many", "公众号")

    def ready(self) -> None:
        import_module(
            "wechat.checks"
        )  # It registers itself, and needs the models, which are there only now.
