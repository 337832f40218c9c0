"""Answer files: what is in them is asked for; what is wrong in them is named with its line, and changes nothing."""

from __future__ import annotations

import json
import os
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import jsonschema
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from installer_kit import HERE, make_host, put, snapshot

from kronos_installer import answer_source
from kronos_installer.answer_schema import answer_schema
from kronos_installer.answer_source import CLOUD_CONFIGS, load_answers
from kronos_installer.answer_text import MOST_BYTES
from kronos_installer.answers import read_answers
from kronos_installer.journal import Journal
from kronos_installer.main import main
from kronos_installer.network.stack import BridgeKind
from kronos_installer.problem import ProblemError, RefusedError
from kronos_installer.wishes import Confirm, IsoType, IsoWish, PoolWish, StorageType, StorageWish

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kronos_installer.host import Host

CASES = sorted((HERE / "answers").glob("*.yaml"))
ALL = """\
management_interface: enp0s3
network_backend: openvswitch
dom0_memory_mib: 2048
dom0_vcpus: 2
confirm: operator
confirm_minutes: 5
hostname: xen1.example
ntp_servers: [ntp1.example, "2001:db8::1"]
open_firewall: false
storage: {type: lvm, location: guests, name: Fast disks}
iso_library:
  type: nfs
  location: files:/isos
pool:
  master: xen0.example
  password_file: /root/pool
  fingerprint: 0A:1B:2C:3D:4E:5F:60:71:82:93:a4:b5:c6:d7:e8:f9:0A:1B:2C:3D:4E:5F:60:71:82:93:a4:b5:c6:d7:e8:f9
"""
ALL_ASKED = {
    "management_interface": "enp0s3",
    "network_backend": BridgeKind.OPENVSWITCH,
    "dom0_memory_mib": 2048,
    "dom0_vcpus": 2,
    "confirm": Confirm.OPERATOR,
    "confirm_minutes": 5,
    "hostname": "xen1.example",
    "ntp_servers": ("ntp1.example", "2001:db8::1"),
    "open_firewall": False,
    "storage": StorageWish(StorageType.LVM, "guests", "Fast disks"),
    "iso_library": IsoWish(IsoType.NFS, "files:/isos"),
    "pool": PoolWish(
        "xen0.example",
        "root",
        "/root/pool",
        ":".join(["0A:1B:2C:3D:4E:5F:60:71:82:93:a4:b5:c6:d7:e8:f9"] * 2),
    ),
}


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return make_host(tmp_path)


def call(host: Host, *args: str) -> int:
    return main([*args, "--root", str(host.root)], runner=host.runner)


def test_every_key_is_read() -> None:
    assert read_answers(ALL.encode(), "a") == ALL_ASKED
    assert answer_schema()["properties"].keys() == ALL_ASKED.keys()


def test_json_is_yaml() -> None:
    text = '{"storage": {"type": "lvm", "location": "guests"}, "ntp_servers": ["a"]}'
    assert read_answers(text.encode(), "a") == {
        "storage": StorageWish(StorageType.LVM, "guests"),
        "ntp_servers": ("a",),
    }


def test_json_of_programs_is_yaml() -> None:
    document = {"storage": {"type": "lvm", "location": "guests", "name": "\U0001f600 Gr\xfc\xdfe / disks"}}
    for text in (
        json.dumps(document),
        json.dumps(document, ensure_ascii=False),
        json.dumps(document, indent="\t"),
    ):
        storage = (read_answers(text.encode(), "a") or {})["storage"]
        assert storage.name == "\U0001f600 Gr\xfc\xdfe / disks"


@pytest.mark.parametrize("number", ["010", "1:30", "1_0", "0x10", "0b11", "1:30.5", "+010", "08.0"])
def test_a_number_that_programs_read_differently_is_refused(number: str) -> None:
    assert f"confirm_minutes: {number} cannot be meant: write a number" in refusal(
        f"confirm_minutes: {number}".encode()
    )
    assert "in quotes" in refusal(f"hostname: {number}".encode())


@pytest.mark.parametrize("name", ["\udcff", "a\uffff"])
def test_a_name_that_the_daemon_cannot_be_told_is_refused(host: Host, name: str, capsys) -> None:
    assert refusal(
        json.dumps({"storage": {"type": "lvm", "location": "a", "name": name}}).encode()
    ).startswith("answers.yaml:1")
    assert call(host, "plan", "--json", "--storage", f"lvm:a,name={name}") == 3
    assert json.loads(capsys.readouterr().out)["problems"][0]["id"] == "flag-wrong"


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "{}", "storage:\npool: null\n"])
def test_nothing_is_asked_for(text: str) -> None:
    assert not read_answers(text.encode(), "a")


def refusal(data: bytes) -> str:
    try:
        asked = read_answers(data, "answers.yaml")
    except RefusedError as error:
        return "".join(f"{p.diagnosis}: {p.title}: {p.remediation}\n" for p in error.problems)
    except ProblemError as error:
        return f"{error.problem.diagnosis}: {error.problem.title}: {error.problem.remediation}\n"
    return f"not refused: {asked}\n"


@pytest.mark.parametrize("case", CASES, ids=[case.stem for case in CASES])
def test_mistakes_are_named_with_their_line(case: Path) -> None:
    """`answers/*.yaml` hold mistakes; the .refused beside each what is said. KRONOS_WRITE_CASES=1 writes them."""
    said, expected = refusal(case.read_bytes()), case.with_suffix(".refused")
    if os.environ.get("KRONOS_WRITE_CASES"):
        expected.write_text(said)
    assert said == expected.read_text()
    assert all(line.startswith("answers.yaml:") for line in said.splitlines())


HOSTILE = {
    "aliases": b"a: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: [*b,*b,*b,*b]\n",
    "billion laughs in a known key": b"ntp_servers: &a [a]\nhostname: *a\n",
    "deep list": b"hostname: " + b"[" * 60_000 + b"]" * 60_000,
    "deep mapping": b"{a: " * 20_000 + b"}" * 20_000,
    "deep blocks": b"".join(b" " * i + b"a:\n" for i in range(400)),
    "large": b"hostname: " + b"x" * MOST_BYTES,
    "many": b"ntp_servers: [" + b"a," * 50_000 + b"]",
    "binary": bytes(range(256)) * 16,
    "NUL": b"hostname: a\0b\n",
    "utf-16": "hostname: a".encode("utf-16"),
    "gzip": b"\x1f\x8b\x08\x00",
    "tag": b"hostname: !!python/object/apply:os.system ['true']\n",
    "plain tag": b"hostname: !!str 5\n",
    "two documents": b"hostname: a\n---\nhostname: b\n",
    "twice": b"hostname: a\nhostname: b\n",
    "merge": b"<<: {hostname: a}\n",
    "complex key": b"? [a, b]\n: c\n",
    "huge number": b"dom0_vcpus: " + b"9" * 10_000,
    "no such day": b"hostname: 2026-02-31\n",
    "recursion": b"&a a: *a\n",
    "tab": b"storage:\n\ttype: lvm\n",
    "unclosed": b"storage: {type: lvm\n",
    "directive": b"%YAML 9.9\n---\nhostname: a\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_by_line(name: str) -> None:
    said = refusal(HOSTILE[name])
    assert said.startswith("answers.yaml:")
    assert len(said) < 2000


@given(st.binary(max_size=200) | st.text(st.characters(codec="utf-8"), max_size=200).map(str.encode))
def test_any_bytes_are_answers_or_refused(data: bytes) -> None:
    refusal(data)


def values() -> st.SearchStrategy[object]:
    """Values near the right ones, and others."""
    right = [
        2048,
        5,
        1,
        True,
        "lvm",
        "nfs",
        "enp0s3",
        "gateway",
        "bridge",
        "a.b",
        "/x",
        "server:/x",
        ["a"],
        None,
    ]
    text = st.text(st.characters(codec="utf-8"), max_size=4) | st.sampled_from(["a\n", "/x\n", "lvm\n"])
    plain = st.sampled_from(right) | st.integers(-1, 3000) | st.booleans() | text | st.floats(allow_nan=False)
    sections = st.dictionaries(
        st.sampled_from(["type", "location", "name", "master", "other"]), plain, max_size=4
    )
    return plain | sections | st.lists(plain, max_size=3)


@given(st.dictionaries(st.sampled_from([*ALL_ASKED, "other"]), values(), max_size=4))
@example({"dom0_vcpus": 1.0})
@example({"dom0_vcpus": 1.5})
@example({"hostname": "a\n"})
@example({"storage": {"type": "lvm", "location": "a", "name": "\uffff"}})
@example({"storage": {"type": "lvm", "location": "a", "name": "\U0001f600"}})
def test_the_schema_accepts_what_the_reader_accepts(document: dict[str, object]) -> None:
    valid = jsonschema.Draft202012Validator(answer_schema()).is_valid(document)
    said = refusal(json.dumps(document).encode())
    assert said.startswith("not refused") == valid, said


def test_flags_go_before_answers(host: Host, tmp_path: Path, capsys) -> None:
    (tmp_path / "answers").write_text("dom0_memory_mib: 1024\nhostname: xen1\n")
    assert call(host, "apply", "--yes", "--answers", str(tmp_path / "answers"), "--dom0-mem", "2G") == 0
    wishes = Journal(host).load().wishes
    assert wishes is not None
    assert (wishes.dom0_memory_mib, wishes.hostname) == (2048, "xen1")


def test_a_wrong_answer_file_changes_nothing(host: Host, tmp_path: Path, capsys) -> None:
    before = snapshot(host)
    (tmp_path / "answers").write_text("\nhostnam: xen1\n")
    assert call(host, "apply", "--yes", "--json", "--answers", str(tmp_path / "answers")) == 3
    told = json.loads(capsys.readouterr().out)
    assert told["problems"][0]["diagnosis"] == f"{tmp_path / 'answers'}:2"
    assert snapshot(host) == before


@pytest.mark.parametrize("where", ["/nowhere", "/", "ftp://a/b", "file:///etc/passwd", "http://127.0.0.1/a",
                                   "https://user:secret@127.0.0.1/a", "https://user:secret@[127/a",
                                   "https://user:a/secret@127.0.0.1/a", "https://user:secret?@127.0.0.1/a",
                                   "https://127.0.0.1:1/a?token=secret", "https://127.0.0.1:1/a?token=secret x",
                                   "https://127.0.0.1:1/a#secret", "https://127.0.0.1:1/\xe4?secret",
                                   "ftp://user:secret@127.0.0.1/a", "https://", "cloud-init"])  # fmt: skip
def test_what_cannot_be_had_is_refused(host: Host, where: str, capsys) -> None:
    assert call(host, "plan", "--answers", where) == 3
    told = capsys.readouterr().err
    assert "the answer file" in told
    assert "secret" not in told


def test_contradictions_are_refused(host: Host, capsys) -> None:
    assert call(host, "plan", "--confirm", "master") == 3
    assert call(host, "plan", "--join", "xen0") == 3
    assert "--password-file" in capsys.readouterr().err


USER, VENDOR = CLOUD_CONFIGS
REST = "#cloud-config\nwrite_files:\n- &a {path: /x, content: !!binary aGk=}\n- *a\ndeep: [[[[[[[[]]]]]]]]\n"


def test_cloud_inits_data_hold_answers_among_others(host: Host) -> None:
    put(host, USER, REST + "xapi_host_setup:\n  hostname: xen1\n")
    put(host, VENDOR, "xapi_host_setup:\n  hostname: vendor\n")
    assert load_answers("cloud-init", host) == {"hostname": "xen1"}
    put(host, USER, REST)
    assert load_answers("cloud-init", host) == {"hostname": "vendor"}


@pytest.mark.parametrize("text", [
    REST, "[]", "text", "", REST + "xapi_host_setup:\n", "xapi_host_setup: {hostname: a}\nxapi_host_setup: {}\n",
    "xapi_host_setup: {hostnam: a}\n", "xapi_host_setup: [a]\n", "xapi_host_setup: &a {hostname: a}\n",
    "[" * 10_000, "{a: " * 10_000 + "}" * 10_000])  # fmt: skip
def test_cloud_inits_data_without_right_answers_are_refused(host: Host, text: str) -> None:
    put(host, USER, text)
    with pytest.raises((ProblemError, RefusedError)):
        load_answers("cloud-init", host)


class Server(BaseHTTPRequestHandler):
    """Serves one of a few answers; `asked` holds the paths that were asked for."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/"))
            self.end_headers()
            return
        self.send_response(200 if self.path != "/missing" else 404)
        body = b"hostname: xen1\n" if self.path in ("/answers", "/cut") else b"#" * (MOST_BYTES + 1000)
        body = body if self.path != "/empty" else b""
        if self.path == "/cut":
            self.send_header("Content-Length", str(len(body) + 20))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HTTPServer]:
    folder = tmp_path_factory.mktemp("tls")
    certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    Server.asked = []
    with HTTPServer(("127.0.0.1", 0), Server) as http:
        http.socket = context.wrap_socket(http.socket, server_side=True)
        http.certificate = str(folder / "certificate.pem")
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield http
        http.shutdown()
        thread.join()


def certificate(folder: Path) -> None:
    """Make a certificate of 127.0.0.1, for itself."""
    import datetime
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "answers")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


@pytest.fixture
def url(server: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("SSL_CERT_FILE", server.certificate)
    monkeypatch.setenv("no_proxy", "*")
    return f"https://127.0.0.1:{server.server_port}"


def test_answers_come_from_a_url(host: Host, url: str) -> None:
    assert load_answers(f"{url}/answers", host) == {"hostname": "xen1"}
    assert load_answers(f"{url}/to/{url}/answers", host) == {"hostname": "xen1"}


def test_the_servers_certificate_is_verified(host: Host, url: str, monkeypatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(ProblemError, match="cannot be had") as refused:
        load_answers(f"{url}/answers", host)
    assert "certificate" in refused.value.problem.title


@pytest.mark.parametrize(
    "path", ["/large", "/missing", "/to/http://127.0.0.1:9/answers", "/to/file:///etc/hosts"]
)
def test_other_answers_of_a_server_are_refused(host: Host, url: str, path: str) -> None:
    with pytest.raises(ProblemError) as refused:
        load_answers(f"{url}{path}?signature=secret", host)
    assert "secret" not in str(refused.value.problem)


@pytest.mark.parametrize(("path", "said"), [("/cut", "IncompleteRead"), ("/empty", "is empty")])
def test_half_an_answer_is_none(host: Host, url: str, path: str, said: str) -> None:
    with pytest.raises(ProblemError, match=said):
        load_answers(f"{url}{path}", host)


def test_a_file_of_no_bytes_is_not_one_without_wishes(host: Host, tmp_path: Path) -> None:
    (tmp_path / "answers").write_text("\n")
    with pytest.raises(ProblemError, match="is empty"):
        load_answers(str(tmp_path / "answers"), host)
    (tmp_path / "answers").write_text("{}\n")
    assert load_answers(str(tmp_path / "answers"), host) == {}


def test_a_server_that_dribbles_is_not_waited_for(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_source, "TIMEOUT_S", 1.0)
    monkeypatch.setenv("no_proxy", "*")
    over = threading.Event()

    def dribble() -> None:
        with listening.accept()[0] as caller:
            caller.sendall(b"HTTP/1.1 200 OK\r\n")
            # Each letter comes well within the time that one answer may take.
            while not over.wait(0.1):
                caller.sendall(b"a")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=dribble)
        thread.start()
        with pytest.raises(ProblemError, match="no answer within 1 s"):
            load_answers(f"http://127.0.0.1:{listening.getsockname()[1]}/", host, insecure_http=True)
        over.set()
        thread.join()
