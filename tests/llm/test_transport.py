"""The deadline holds with TLS too: there the socket is another class."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from llm import gateway, transport
from llm.errors import TimedOut
from llm.turns import ChatTurn
from tests.llm.builders import row_for
from tests.worlds.model_behaviours import Manner
from tests.worlds.model_server import ModelServer

pytestmark = pytest.mark.django_db(transaction=True)

ASK = (ChatTurn("user", "怎么退货？"),)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 with its key, in one file. Its name is new: a context keeps those
    that it trusted.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, uuid.uuid4().hex)])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(
        now + datetime.timedelta(1)
    )
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = builder.add_extension(address, critical=False).sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path / "certificate.pem"
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def secured(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    monkeypatch.setattr(transport.session, "verify", str(certificate))
    with ModelServer(Manner(answer="第一个模型的回答。"), tls=context) as model:
        yield model


def test_it_speaks_tls(secured: ModelServer) -> None:
    row_for(secured, first_token_timeout=20, total_timeout=20)
    for _ in range(3):
        assert gateway.complete(ASK, session_id="").text == "第一个模型的回答。"
    assert secured.connections == 1


@pytest.mark.parametrize(
    "fault", ["hang", "hang in stream", "drip headers", "drip chunk size", "drip body"]
)
def test_it_keeps_its_deadline_with_tls(secured: ModelServer, fault: str) -> None:
    row = row_for(secured)
    secured.behave(fault)
    with pytest.raises(TimedOut):
        gateway.try_model(row)


def test_it_does_not_speak_to_a_server_it_cannot_trust(
    secured: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport.session, "verify", True)
    row = row_for(secured)
    with pytest.raises(gateway.CallFailed, match="SSL"):
        gateway.try_model(row)
    assert secured.calls == 0
