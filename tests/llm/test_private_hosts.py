"""Where an address that staff typed may lead, and where a stored key goes."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from common.private_hosts import is_private
from llm import gateway
from llm.checks import check_environment
from llm.errors import CallFailed
from llm.models import LanguageModel
from llm.transport import session
from tests.llm.builders import row_for
from tests.llm.test_admin import KEY, form, page_of
from tests.worlds.model_server import ModelServer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def editor() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("editor"))
    return client


@pytest.fixture(autouse=True)
def new_connections() -> Iterator[None]:
    """A connection that an earlier test was allowed to make serves nobody here."""
    session.close()
    yield
    session.close()


@pytest.fixture
def nothing_listed(settings: Settings) -> None:
    settings.ALLOWED_PRIVATE_HOSTS = []


class Names:
    """A name server whose answers change from one question to the next."""

    def __init__(self, *addresses: str) -> None:
        self.answers = list(addresses)
        self.asked = 0
        self._real = socket.getaddrinfo

    def __call__(self, host: str, port: Any, *args: Any, **kwargs: Any) -> Any:
        if host != "model.example":
            return self._real(host, port, *args, **kwargs)
        self.asked += 1
        address = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]


@pytest.mark.parametrize(
    "address",
    [
        *(
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
        ),
        *(
            "224.0.0.1",
            "::1",
            "::",
            "fe80::1%eth0",
            "fd00::1",
            "::ffff:10.0.0.1",
            "64:ff9b::10.0.0.1",
        ),
        *("2002:0a00:0001::1", "fec0::1", "64:ff9b:1::10.0.0.1", "::10.0.0.1"),
    ],
)
def test_it_knows_a_private_address_in_every_disguise(address: str) -> None:
    assert is_private(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "119.29.29.29", "2400:3200::1", "::ffff:8.8.8.8"])
def test_it_knows_a_public_address(address: str) -> None:
    assert not is_private(address)


@pytest.mark.usefixtures("nothing_listed")
def test_it_sends_nothing_to_a_private_address(first: ModelServer) -> None:
    with pytest.raises(CallFailed, match="ALLOWED_PRIVATE_HOSTS"):
        gateway.try_model(row_for(first))
    assert (first.calls, first.connections) == (0, 0)


@pytest.mark.usefixtures("nothing_listed")
def test_a_name_that_changes_its_address_gains_nothing(
    first: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Public when the form looks, private when the call is made."""
    monkeypatch.setattr(socket, "getaddrinfo", Names("8.8.8.8", "127.0.0.1"))
    socket.getaddrinfo("model.example", 80)
    with pytest.raises(CallFailed, match="ALLOWED_PRIVATE_HOSTS"):
        gateway.try_model(row_for(first, base_url=f"http://model.example:{first.port}/v1"))
    assert first.connections == 0


def test_it_connects_to_the_very_address_that_it_checked(
    first: ModelServer, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.ALLOWED_PRIVATE_HOSTS = [f"model.example:{first.port}"]
    names = Names("127.0.0.1")
    monkeypatch.setattr(socket, "getaddrinfo", names)
    gateway.try_model(row_for(first, base_url=f"http://model.example:{first.port}/v1"))
    assert (first.calls, names.asked) == (1, 1)
    assert first.asked[0].headers["host"] == f"model.example:{first.port}"


@pytest.mark.usefixtures("nothing_listed")
def test_what_the_environment_names_needs_no_entry(first: ModelServer, settings: Settings) -> None:
    settings.URLS_OF_THE_ENVIRONMENT = (first.url,)
    assert gateway.try_model(row_for(first)).text == "第一个模型的回答。"


@pytest.mark.usefixtures("nothing_listed")
def test_another_port_of_a_host_in_the_environment_is_still_private(
    first: ModelServer, second: ModelServer, settings: Settings
) -> None:
    settings.URLS_OF_THE_ENVIRONMENT = (second.url,)
    with pytest.raises(CallFailed, match="ALLOWED_PRIVATE_HOSTS"):
        gateway.try_model(row_for(first))


@pytest.mark.usefixtures("nothing_listed")
@pytest.mark.parametrize(
    "host", ["127.0.0.1:6379", "169.254.169.254", "[::1]:80", "localhost", "2130706433"]
)
def test_the_form_says_why_it_refuses_a_private_address(editor: Client, host: str) -> None:
    page = editor.post(reverse("admin:llm_languagemodel_add"), form(base_url=f"http://{host}/v1"))
    assert "这个地址在内网" in page.content.decode()
    assert not LanguageModel.objects.exists()


@pytest.mark.parametrize(
    "url",
    ["https://8.8.4.4/v1", "http://8.8.8.8/v1", "https://8.8.8.8:8443/v1"],
    ids=["host", "scheme", "port"],
)
def test_a_stored_key_does_not_leave_to_another_host(
    editor: Client, first: ModelServer, url: str
) -> None:
    row = row_for(first, "own", base_url="https://8.8.8.8/v1")
    page = editor.post(page_of(row), form(base_url=url)).content.decode()
    assert "请重新填写 API Key" in page
    row.refresh_from_db()
    assert (row.base_url, row.api_key) == ("https://8.8.8.8/v1", KEY)


def test_a_key_that_cannot_be_read_now_does_not_wait_for_another_host(
    editor: Client, first: ModelServer, settings: Settings
) -> None:
    row = row_for(first, "own", base_url="https://8.8.8.8/v1")
    salt = settings.SALT_KEY
    settings.SALT_KEY = ["another"]
    page = editor.post(page_of(row), form(base_url="https://8.8.4.4/v1")).content.decode()
    settings.SALT_KEY = salt
    assert "请重新填写 API Key" in page
    row = LanguageModel.objects.get()
    assert (row.base_url, row.api_key) == ("https://8.8.8.8/v1", KEY)


@pytest.mark.parametrize(
    ("more", "stored"),
    [({"api_key": "sk-new"}, "sk-new"), ({"api_key-clear": "on"}, "")],
    ids=["typed", "cleared"],
)
def test_a_key_typed_again_or_cleared_moves_with_the_address(
    editor: Client, first: ModelServer, more: dict[str, str], stored: str
) -> None:
    row = row_for(first, "own", base_url="https://8.8.8.8/v1")
    editor.post(page_of(row), form(base_url="https://8.8.4.4/v1", **more))
    row.refresh_from_db()
    assert (row.base_url, row.api_key) == ("https://8.8.4.4/v1", stored)


def test_another_path_of_the_same_host_keeps_the_key(editor: Client, first: ModelServer) -> None:
    row = row_for(first, "own", base_url="https://8.8.8.8/v1")
    editor.post(page_of(row), form(base_url="https://8.8.8.8/v2"))
    row.refresh_from_db()
    assert (row.base_url, row.api_key) == ("https://8.8.8.8/v2", KEY)


@pytest.mark.parametrize("entry", ["http://ollama:11434", "ollama/v1", "", "*"])
def test_the_check_names_an_entry_that_is_no_host(settings: Settings, entry: str) -> None:
    settings.ALLOWED_PRIVATE_HOSTS = ["ollama:11434", entry]
    assert [found.id for found in check_environment()] == ["llm.E008"]
