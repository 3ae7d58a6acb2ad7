"""Debian's nginx with docker/nginx.conf as it is; only where it listens and whom it asks differ."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.services.process import Process, find_program

DOCKER = Path(__file__).resolve().parents[2] / "docker"


def start_nginx(folder: Path, web_ports: Sequence[int], port: int, http_port: int) -> Process:
    """Before the web processes at these ports. `servers/web1.conf` and so on name them, as in
    docker/nginx.
    """
    furnish(folder, web_ports, port, http_port)
    nginx = Process(command(folder), log=folder / "nginx.log")
    nginx.start()
    nginx.wait_until(lambda: _answers(http_port), 10, "nginx answers")
    return nginx


def command(folder: Path) -> list[str]:
    program = find_program("nginx")
    assert program is not None
    return [
        program,
        "-p",
        str(folder),
        "-c",
        str(folder / "nginx.conf"),
        "-g",
        f"daemon off; pid {folder}/pid;",
    ]


def furnish(folder: Path, web_ports: Sequence[int], port: int, http_port: int) -> None:
    servers = folder / "wechatbot/servers"
    servers.mkdir(parents=True)
    shutil.copy(DOCKER / "nginx.conf", folder / "nginx.conf")
    shutil.copy("/etc/nginx/mime.types", folder / "mime.types")
    make_certificate(folder / "certificates")
    for number, web_port in enumerate(web_ports, 1):
        (servers / f"web{number}.conf").write_text(f"server 127.0.0.1:{web_port} max_fails=0;\n")
    # An ordinary user may not write where Debian's nginx keeps its bodies.
    kinds = ("client_body", "proxy", "fastcgi", "scgi", "uwsgi")
    places = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    upstream = "upstream web { zone web 64k; include wechatbot/servers/*.conf; }\n"
    (folder / "wechatbot/upstream.conf").write_text(upstream + places)
    (folder / "wechatbot/listen_http.conf").write_text(f"listen 127.0.0.1:{http_port};")
    (folder / "wechatbot/listen_https.conf").write_text(f"listen 127.0.0.1:{port} ssl;")


def make_certificate(folder: Path) -> None:
    folder.mkdir()
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "privkey.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def _answers(port: int) -> bool:
    try:
        return (
            requests.get(f"http://127.0.0.1:{port}/", allow_redirects=False, timeout=2).status_code
            == 308
        )
    except requests.ConnectionError:
        return False
