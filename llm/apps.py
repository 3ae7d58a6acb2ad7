from django.apps import AppConfig
from django.core.checks import register
from django.utils.translation import pgettext_lazy

from llm.checks import check_environment


class LLMConfig(AppConfig):
    name = "llm"
    verbose_name = pgettext_lazy("many", "语言模型")

    def ready(self) -> None:
        register(check_environment)
