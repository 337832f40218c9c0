"""Certificates: what the pool trusts, what the host shows, and what it verifies of others."""

import asyncio
import os
import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path

import pytest
import XenAPI
from certificates import DAY, Authority, key_pem, rsa_key
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519
from running_daemon import PASSWORD

from xapi_shim.api.certificate_expiry import check_expiry
from xapi_shim.api.certificate_rules import leaf_pem
from xapi_shim.host.self_signed import make_certificate, replace_certificate

NULL = "OpaqueRef:NULL"


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture(scope="module")
def server_key():
    return rsa_key()


def shown(running, name=None):
    """Return the SHA-256 fingerprint of what a new connection is shown."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    plain = socket.create_connection((running.address, running.daemon.port), 10)
    with context.wrap_socket(plain, server_hostname=name) as tls:
        der = tls.getpeercert(binary_form=True)
    return x509.load_der_x509_certificate(der).fingerprint(hashes.SHA256()).hex(":").upper()


def of_type(api, kind):
    return {ref: r for ref, r in api.Certificate.get_all_records().items() if r["type"] == kind}


def test_the_host_tells_of_its_own_certificates(running, api, host):
    ((ref, record),) = of_type(api, "host").items()
    assert record["fingerprint"] == record["fingerprint_sha256"] == shown(running)
    assert len(record["fingerprint_sha1"]) == 59
    assert record["host"] == host
    ((inner, internal),) = of_type(api, "host_internal").items()
    assert internal["fingerprint_sha256"] == shown(running, "pool") != shown(running, "localhost")
    assert sorted(api.host.get_certificates(host)) == sorted([ref, inner])
    assert oct(running.paths.pool_certificate.stat().st_mode)[-3:] == "600"


def test_a_server_certificate_is_shown_without_a_restart(running, api, host, authority, server_key):
    before = shown(running)
    open_one = XenAPI.Session(running.url, ignore_ssl=True)
    open_one.xenapi.login_with_password("root", PASSWORD, "1.0", "stays")
    leaf = authority.sign(server_key, "host.example")
    api.host.install_server_certificate(host, leaf, key_pem(server_key), authority.pem)
    ((_, record),) = of_type(api, "host").items()
    assert record["fingerprint_sha256"] == shown(running) != before
    assert open_one.xenapi.host.get_server_certificate(host) == leaf
    text = running.paths.server_certificate.read_text()
    assert text.count("BEGIN CERTIFICATE") == 2
    assert oct(running.paths.server_certificate.stat().st_mode)[-3:] == "600"
    # Verified by a client that trusts the authority.
    context = ssl.create_default_context(cadata=authority.pem)
    with socket.create_connection((running.address, running.daemon.port), 10) as plain:
        context.wrap_socket(plain, server_hostname="localhost").close()
    running.stop()
    running.start()
    assert shown(running) == record["fingerprint_sha256"]


def listening(running):
    """Return how many of this process's files are the HTTPS door's listening socket."""
    links = []
    for one in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            links.append(os.readlink(one))
    (door,) = running.daemon._server._tls_doors
    return links.count(os.readlink(f"/proc/self/fd/{door.sockets[0].fileno()}"))


def test_one_door_is_open_however_often_its_certificate_changes(running, api, host):
    assert listening(running) == 1
    for _ in range(3):
        api.host.reset_server_certificate(host)
    assert listening(running) == 1


def test_the_last_of_two_changes_at_once_is_shown(running, api):
    async def change():
        replace_certificate(running.paths.server_certificate, make_certificate("second", []))
        await running.daemon.tools.renew_tls()

    async def two_changes():
        # The second begins when the first has read its file and waits.
        await asyncio.gather(running.daemon.tools.renew_tls(), change())

    running.wait(two_changes())
    second = x509.load_pem_x509_certificate(leaf_pem(running.paths.server_certificate.read_text()).encode())
    assert shown(running) == second.fingerprint(hashes.SHA256()).hex(":").upper()
    assert listening(running) == 1


def test_a_reset_certificate_is_self_signed_and_new(running, api, host, authority, server_key):
    internal, first = shown(running, "pool"), shown(running)
    api.host.reset_server_certificate(host)
    second = shown(running)
    assert second != first
    api.host.refresh_server_certificate(host)
    assert shown(running, "pool") != internal
    assert shown(running) == second
    ((_, record),) = of_type(api, "host_internal").items()
    assert record["fingerprint_sha256"] == shown(running, "pool")


def wrong_certificates():
    authority, key, other = Authority(), rsa_key(), rsa_key()
    good = authority.sign(key, "h")
    text = key_pem(key)
    ed = ed25519.Ed25519PrivateKey.generate()
    old_dsa = dsa.generate_private_key(2048)
    small = rsa_key(1024)
    return {
        "no key": ("SERVER_CERTIFICATE_KEY_INVALID", 0, good, "x", ""),
        "a key of another algorithm": (
            "SERVER_CERTIFICATE_KEY_ALGORITHM_NOT_SUPPORTED", ["1.3.101.112"], good, key_pem(ed), ""),
        "a DSA key": (
            "SERVER_CERTIFICATE_KEY_ALGORITHM_NOT_SUPPORTED", ["1.2.840.10040.4.1"], good, key_pem(old_dsa), ""),
        "a short key": ("SERVER_CERTIFICATE_KEY_RSA_LENGTH_NOT_SUPPORTED", ["1024"], good, key_pem(small), ""),
        "no certificate": ("SERVER_CERTIFICATE_INVALID", 0, "x", text, ""),
        "another key's": ("SERVER_CERTIFICATE_KEY_MISMATCH", 0, authority.sign(other, "h"), text, ""),
        "too early": ("SERVER_CERTIFICATE_NOT_VALID_YET", 2, authority.sign(key, "h", starts=DAY), text, ""),
        "too late": (
            "SERVER_CERTIFICATE_EXPIRED", 2, authority.sign(key, "h", starts=-2 * DAY, ends=-DAY), text, ""),
        "SHA-3": (
            "SERVER_CERTIFICATE_SIGNATURE_NOT_SUPPORTED", 0,
            authority.sign(key, "h", digest=hashes.SHA3_256(), sign_with=authority.key), text, ""),
        "no chain": ("SERVER_CERTIFICATE_CHAIN_INVALID", 0, good, text, "x"),
        "another's chain": ("SERVER_CERTIFICATE_CHAIN_INVALID", 0, good, text, Authority("other").pem),
    }  # fmt: skip


def test_what_cannot_be_served_is_refused(running, api, host, refused):
    before = running.paths.server_certificate.read_bytes()
    for name, (code, params, certificate, key, chain) in wrong_certificates().items():
        told = refused(code, api.host.install_server_certificate, host, certificate, key, chain)[1:]
        if isinstance(params, list):
            assert told == params, name
        else:
            assert len(told) == params, (name, told)
    assert running.paths.server_certificate.read_bytes() == before


def test_a_key_on_a_curve_is_served(running, api, host, authority):
    key = ec.generate_private_key(ec.SECP256R1())
    api.host.install_server_certificate(host, authority.sign(key, "host"), key_pem(key))
    ((_, record),) = of_type(api, "host").items()
    assert shown(running) == record["fingerprint_sha256"]


def test_authorities_come_and_go(running, api, authority, refused):
    api.pool.install_ca_certificate("ours.pem", authority.pem)
    ((_, record),) = of_type(api, "ca").items()
    assert (record["name"], record["host"]) == ("ours.pem", NULL)
    assert api.pool.certificate_list() == ["ours.pem"]
    assert authority.pem.strip() in running.paths.trusted_bundle.read_text()
    assert refused("CERTIFICATE_ALREADY_EXISTS", api.pool.install_ca_certificate, "ours.pem", authority.pem)[
        1:
    ] == ["ours.pem"]
    for name in (".hidden.pem", "../x.pem", "no-suffix", "", "a b.pem", "a\n.pem"):
        refused("CERTIFICATE_NAME_INVALID", api.pool.install_ca_certificate, name, authority.pem)
        refused("CERTIFICATE_NAME_INVALID", api.pool.uninstall_ca_certificate, name)
    refused("CA_CERTIFICATE_INVALID", api.pool.install_ca_certificate, "x.pem", "none")
    key = rsa_key()
    early, late = (authority.sign(key, "a", starts=DAY), authority.sign(key, "a", starts=-2 * DAY, ends=-DAY))
    assert len(refused("CA_CERTIFICATE_NOT_VALID_YET", api.pool.install_ca_certificate, "x.pem", early)) == 3
    assert len(refused("CA_CERTIFICATE_EXPIRED", api.pool.install_ca_certificate, "x.pem", late)) == 3
    assert api.pool.certificate_list() == ["ours.pem"]
    api.pool.certificate_sync()
    api.pool.uninstall_ca_certificate("ours.pem")
    assert of_type(api, "ca") == {}
    assert running.paths.trusted_bundle.read_text() == ""
    assert refused("CERTIFICATE_DOES_NOT_EXIST", api.pool.uninstall_ca_certificate, "ours.pem")[1:] == [
        "ours.pem"
    ]
    api.pool.uninstall_ca_certificate("ours.pem", True)
    # The deprecated names.
    api.pool.certificate_install("old.pem", authority.pem)
    assert len(of_type(api, "ca")) == 1
    api.pool.certificate_uninstall("old.pem")
    assert of_type(api, "ca") == {}


def test_a_corrupt_library_is_told(running, api, authority, refused):
    api.pool.install_ca_certificate("ours.pem", authority.pem)
    (running.paths.trusted_certificates / "ours.pem").write_text("damaged")
    assert refused("CERTIFICATE_CORRUPT", api.pool.certificate_sync)[1:] == ["ours.pem"]
    (running.paths.trusted_certificates / "ours.pem").write_text(authority.pem)
    running.paths.trusted_bundle.unlink()
    running.paths.trusted_bundle.mkdir()
    assert refused("CERTIFICATE_LIBRARY_CORRUPT", api.pool.certificate_sync)[1:] == []
    refused("CERTIFICATE_LIBRARY_CORRUPT", api.pool.install_ca_certificate, "second.pem", authority.pem)
    assert api.pool.certificate_list() == ["ours.pem"]


def test_an_authority_put_there_by_hand_is_found_at_the_start(running, api, authority):
    running.paths.trusted_certificates.mkdir(parents=True)
    (running.paths.trusted_certificates / "hand.pem").write_text(authority.pem)
    (running.paths.trusted_certificates / "broken.pem").write_text("x")
    running.stop()
    running.start()
    again = XenAPI.Session(running.url, ignore_ssl=True)
    again.xenapi.login_with_password("root", PASSWORD, "1.0", "tests")
    assert [r["name"] for r in of_type(again.xenapi, "ca").values()] == ["hand.pem"]


def test_revocation_lists_come_and_go(api, authority, refused):
    crl = authority.revocations()
    api.pool.crl_install("revoked.pem", crl)
    assert api.pool.crl_list() == ["revoked.pem"]
    assert refused("CRL_ALREADY_EXISTS", api.pool.crl_install, "revoked.pem", crl)[1:] == ["revoked.pem"]
    assert refused("CRL_NAME_INVALID", api.pool.crl_install, "revoked", crl)[1:] == ["revoked"]
    assert refused("CRL_CORRUPT", api.pool.crl_install, "x.pem", authority.pem)[1:] == ["x.pem"]
    api.pool.crl_uninstall("revoked.pem")
    assert refused("CRL_DOES_NOT_EXIST", api.pool.crl_uninstall, "revoked.pem")[1:] == ["revoked.pem"]


def test_certificates_are_trusted_for_purposes(running, api, authority, refused):
    (pool,) = api.pool.get_all()
    leaf = authority.sign(rsa_key(), "licence server")
    api.pool.install_trusted_certificate(pool, True, authority.pem, [])
    api.pool.install_trusted_certificate(pool, False, leaf, ["licensing", "ldaps"])
    ((pinned, record),) = of_type(api, "pinned").items()
    assert sorted(record["purpose"]) == ["ldaps", "licensing"]
    name = f"{record['uuid']}.pem"
    folder = running.paths.trusted_for_purposes
    assert (folder / "ldaps" / name).read_text() == (folder / "licensing" / name).read_text() == leaf
    told = refused("TRUSTED_CERTIFICATE_ALREADY_EXISTS", api.pool.install_trusted_certificate, pool, False, leaf,
                   ["ldaps"])  # fmt: skip
    assert told[1:] == [record["fingerprint_sha256"]]
    refused("CERTIFICATE_LACKS_PURPOSE", api.pool.install_trusted_certificate, pool, False, leaf, [])
    refused("TRUSTED_CERTIFICATE_INVALID", api.pool.install_trusted_certificate, pool, True, "x", [])
    key = rsa_key()
    early, late = (authority.sign(key, "a", starts=DAY), authority.sign(key, "a", starts=-2 * DAY, ends=-DAY))
    told = refused(
        "TRUSTED_CERTIFICATE_NOT_VALID_YET", api.pool.install_trusted_certificate, pool, True, early, []
    )
    assert len(told) == 3
    told = refused("TRUSTED_CERTIFICATE_EXPIRED", api.pool.install_trusted_certificate, pool, True, late, [])
    assert len(told) == 3
    (own,) = of_type(api, "host")
    assert refused("NOT_TRUSTED_CERTIFICATE", api.pool.uninstall_trusted_certificate, pool, own)[1:] == [own]
    api.pool.uninstall_trusted_certificate(pool, pinned)
    assert of_type(api, "pinned") == {}
    assert not list(folder.glob(f"*/{name}"))
    (general,) = of_type(api, "ca")
    api.pool.uninstall_trusted_certificate(pool, general)
    assert not list(folder.rglob("*.pem"))


class EchoServer:
    """An HTTPS server that answers a POST with its body."""

    def __init__(self, folder, certificate, key):
        (folder / "server.pem").write_text(key + certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.pem")
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.context = context
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listening.accept()
                with self.context.wrap_socket(connection, server_side=True) as tls:
                    head, _, body = tls.recv(65536).partition(b"\r\n\r\n")
                    length = int(head.partition(b"Content-Length: ")[2].split()[0])
                    while len(body) < length:
                        body += tls.recv(65536)
                    tls.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + body)
            except ssl.SSLError:
                continue
            except OSError:
                return


def test_calls_to_others_are_verified_once_that_is_on(running, api, authority, server_key, refused, tmp_path):
    (pool,), (host,) = api.pool.get_all(), api.host.get_all()
    leaf = authority.sign(server_key, "echo")
    echo = EchoServer(tmp_path, leaf, key_pem(server_key))
    post = api.pool.send_test_post
    assert post("localhost", echo.port, "häl\nlo").endswith("häl\nlo")
    api.pool.enable_tls_verification()
    assert api.pool.get_tls_verification_enabled(pool)
    assert api.host.get_tls_verification_enabled(host)
    assert refused("SSL_VERIFY_ERROR", post, "localhost", echo.port, "x")[1:] == [
        "unable to get local issuer certificate"
    ]
    api.pool.install_ca_certificate("ours.pem", authority.pem)
    assert post("localhost", echo.port, "x").endswith("x")
    # The certificate is for a name, not for this address.
    assert "127.0.0.1" in refused("SSL_VERIFY_ERROR", post, "127.0.0.1", echo.port, "x")[1]
    api.pool.crl_install("revoked.pem", authority.revocations(leaf))
    assert refused("SSL_VERIFY_ERROR", post, "localhost", echo.port, "x")[1:] == ["certificate revoked"]
    api.pool.crl_uninstall("revoked.pem")
    assert post("localhost", echo.port, "x").endswith("x")
    free = socket.create_server(("127.0.0.1", 0))
    port = free.getsockname()[1]
    free.close()
    assert refused("TLS_CONNECTION_FAILED", post, "localhost", port, "x")[1:] == ["localhost", str(port)]
    refused("INVALID_VALUE", post, "localhost", 0, "x")
    refused("INVALID_VALUE", post, "a\r\nb", 1, "x")
    echo.listening.close()


def test_verification_is_switched_off_in_an_emergency(running, api, refused):
    (pool,), (host,) = api.pool.get_all(), api.host.get_all()
    refused("TLS_VERIFICATION_NOT_ENABLED_IN_POOL", api.host.emergency_reenable_tls_verification)
    api.pool.enable_tls_verification()
    api.host.emergency_disable_tls_verification()
    api.host.emergency_disable_tls_verification()
    assert not api.host.get_tls_verification_enabled(host)
    assert api.pool.get_tls_verification_enabled(pool)
    (alert,) = api.message.get_all_records().values()
    assert (alert["name"], alert["priority"], alert["cls"], alert["obj_uuid"]) == (
        "TLS_VERIFICATION_EMERGENCY_DISABLED", "3", "Host", api.host.get_uuid(host))  # fmt: skip
    api.host.emergency_reenable_tls_verification()
    assert api.host.get_tls_verification_enabled(host)
    first = shown(running)
    api.host.emergency_reset_server_certificate()
    assert shown(running) != first


def test_expiry_is_told_once_and_forgotten_when_mended(running, api, host, authority, server_key):
    soon = authority.sign(server_key, "h", ends=3 * DAY)
    api.host.install_server_certificate(host, soon, key_pem(server_key))
    api.pool.install_ca_certificate("soon.pem", authority.sign(rsa_key(), "a", ends=20 * DAY))
    running.do(check_expiry, running.daemon.tools)
    running.do(check_expiry, running.daemon.tools)
    told = {one["name"]: one for one in api.message.get_all_records().values()}
    assert sorted(told) == ["HOST_SERVER_CERTIFICATE_EXPIRING_07", "POOL_CA_CERTIFICATE_EXPIRING_30"]
    assert len(api.message.get_all()) == 2
    (ours,) = of_type(api, "ca").values()
    assert told["POOL_CA_CERTIFICATE_EXPIRING_30"]["obj_uuid"] == ours["uuid"]
    assert told["POOL_CA_CERTIFICATE_EXPIRING_30"]["cls"] == "Certificate"
    assert told["HOST_SERVER_CERTIFICATE_EXPIRING_07"]["obj_uuid"] == api.host.get_uuid(host)
    api.message.create("ALARM", "1", "Host", api.host.get_uuid(host), "")
    api.host.reset_server_certificate(host)
    running.do(check_expiry, running.daemon.tools)
    names = [one["name"] for one in api.message.get_all_records().values()]
    assert sorted(names) == ["ALARM", "POOL_CA_CERTIFICATE_EXPIRING_30"]


def client_session(running, folder, certificate, key):
    """Return a client of PyPI's XenAPI that shows a certificate, and no password."""
    (folder / "client.pem").write_text(key_pem(key) + certificate)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(folder / "client.pem")
    session = XenAPI.Session(running.url, ignore_ssl=True)
    session("transport").context = context
    return session


def test_a_client_comes_in_by_its_certificate(running, api, authority, refused, tmp_path):
    (pool,) = api.pool.get_all()
    key = rsa_key()
    good, named_other = authority.sign(key, "xo", dns="xo.example"), authority.sign(key, "b", dns="b.example")

    def login(certificate):
        client = client_session(running, tmp_path, certificate, key)
        client.xenapi.login_with_password("", "", "1.0", "tests")
        return client.xenapi

    refused("SESSION_AUTHENTICATION_FAILED", login, good)
    api.pool.install_ca_certificate("ours.pem", authority.pem)
    refused("INVALID_VALUE", api.pool.enable_client_certificate_auth, pool, "")
    api.pool.enable_client_certificate_auth(pool, "XO.example")
    assert (api.pool.get_client_certificate_auth_enabled(pool), api.pool.get_client_certificate_auth_name(pool)) == (
        True, "XO.example")  # fmt: skip
    xo = login(good)
    (mine,) = [s for s in running.do(running.daemon.tools.db.refs, "session")
               if running.do(running.daemon.tools.db.flag, "session", s, "client_certificate")]  # fmt: skip
    assert xo.pool.get_all() == [pool]
    assert running.do(running.daemon.tools.sessions.role, mine) == "client-cert"
    refused("RBAC_PERMISSION_DENIED", xo.pool.set_name_label, pool, "x")
    refused("SESSION_AUTHENTICATION_FAILED", login, named_other)
    # With TLS 1.3 it depends on the moment whether the client reads the alert, or meets a closed connection.
    with pytest.raises((ssl.SSLError, ConnectionError)):
        login(Authority("stranger").sign(key, "xo", dns="xo.example"))
    # Without a certificate the password is asked for, as ever.
    plain = XenAPI.Session(running.url, ignore_ssl=True)
    refused("SESSION_AUTHENTICATION_FAILED", plain.xenapi.login_with_password, "", "", "1.0", "tests")
    plain.xenapi.login_with_password("root", PASSWORD, "1.0", "tests")
    api.pool.uninstall_ca_certificate("ours.pem")
    # With TLS 1.3 it depends on the moment whether the client reads the alert, or meets a closed connection.
    with pytest.raises((ssl.SSLError, ConnectionError)):
        login(good)
    api.pool.disable_client_certificate_auth(pool)
    refused("SESSION_AUTHENTICATION_FAILED", login, good)
