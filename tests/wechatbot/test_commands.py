from __future__ import annotations

from importlib import import_module

import pytest
from django.core.management import get_commands

FLOORS = {
    "wechatbot",
    "webhook",
    "simulator",
    "tickets",
    "assistant",
    "knowledge",
    "conversations",
    "wechat",
    "llm",
}
OURS = {name: app for name, app in get_commands().items() if app in FLOORS}


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_command_says_what_it_is_for(name: str) -> None:
    command = import_module(f"{OURS[name]}.management.commands.{name}").Command()

    words = command.create_parser("manage.py", name).format_help()

    assert command.help.split()[0] in words


def test_it_has_the_commands_of_the_readme() -> None:
    assert {
        "serve",
        "load_demo",
        "remove_demo",
        "prepare",
        "ask",
        "import_faqs",
        "export_faqs",
        "evaluate_matching",
    } <= OURS.keys()
    assert {"unlock", "reset_password"} <= OURS.keys()
