"""The key of an endpoint is stored encrypted and shown nowhere."""

from __future__ import annotations

import logging

import pytest
from django.db import connection

from llm import gateway
from llm.errors import CallFailed
from llm.models import LanguageModel, ModelCall
from llm.turns import ChatTurn
from tests.llm.builders import row_for
from tests.worlds.model_server import ModelServer

pytestmark = pytest.mark.django_db(transaction=True)

KEY = "sk-very-secret"
ASK = (ChatTurn("user", "怎么退货？"),)


def test_it_is_encrypted_at_rest(first: ModelServer) -> None:
    row_for(first, api_key=KEY)
    with connection.cursor() as cursor:
        cursor.execute("SELECT api_key FROM llm_languagemodel")
        (stored,) = cursor.fetchone()
    assert stored
    assert KEY not in stored
    assert LanguageModel.objects.get().api_key == KEY


def test_it_is_taken_out_of_an_error_that_repeats_it(
    first: ModelServer, caplog: pytest.LogCaptureFixture
) -> None:
    """The fake quotes the whole Authorization header, as some endpoints do."""
    row = row_for(first, api_key=KEY)
    first.behave("401")
    with caplog.at_level(logging.DEBUG), pytest.raises(CallFailed) as raised:
        gateway.try_model(row)
    assert first.asked[0].headers["authorization"] == f"Bearer {KEY}"
    assert "Incorrect API key provided: Bearer ***" in str(raised.value)
    assert KEY not in caplog.text
    assert KEY not in ModelCall.objects.get().error


def test_it_is_not_quoted_when_it_cannot_be_sent(
    first: ModelServer, caplog: pytest.LogCaptureFixture
) -> None:
    """`requests` quotes a header with a line break in its error."""
    row = row_for(first, api_key=KEY + "\nX: y")
    with caplog.at_level(logging.DEBUG), pytest.raises(CallFailed) as raised:
        gateway.try_model(row)
    assert "InvalidHeader" in str(raised.value)
    assert KEY not in str(raised.value) + caplog.text + ModelCall.objects.get().error


@pytest.mark.parametrize("fault", ["hang", "cut", "html", "500"])
def test_it_is_in_no_other_error_either(
    first: ModelServer, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    row = row_for(first, api_key=KEY)
    first.behave(fault)
    with caplog.at_level(logging.DEBUG), pytest.raises(CallFailed) as raised:
        gateway.try_model(row)
    assert KEY not in str(raised.value) + caplog.text + ModelCall.objects.get().error


def test_it_goes_to_no_other_address_by_a_redirect(first: ModelServer) -> None:
    row = row_for(first, api_key=KEY)
    first.behave("redirect")
    with pytest.raises(CallFailed, match="HTTP 302"):
        gateway.try_model(row)
    assert first.calls == 1
