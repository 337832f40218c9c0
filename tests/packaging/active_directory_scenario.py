"""A domain, a host in it, and the domain's users: run by root in a machine of its own, on its own Python.

Samba's domain controller and the host's winbind share a network of their own and nothing else: each has
its own /run. The machine runs no systemd; SYSTEMCTL stands in for it, for this one service.
"""

import asyncio
import os
import select
import socket
import ssl
import subprocess
import sys
import xmlrpc.client
from pathlib import Path

from xapi_shim.api.external_auth import confirm_sessions
from xapi_shim.base.paths import Paths
from xapi_shim.web.daemon import Daemon, Options

REALM, SHORT, ADMIN = "ad.example.test", "ADTEST", "Adm1n.Pass"
ALICE, BOB = "Alice pass: 1%2ü", "B0b.Pass.word"
DC = Path("/srv/dc")
SMB_CONF = Path("/etc/samba/smb.conf")
MINE = "# an operator's own\n"
SYSTEMCTL = """\
#!/usr/bin/python3
import os, signal, socket, subprocess, sys, pathlib
sys.path[:0] = ["/srv/tree", "/srv/tree/tests/packaging"]
from active_directory_scenario import start_service
assert sys.argv[2:] == ["winbind.service"], sys.argv
pid = pathlib.Path("/run/winbind.pid")
if sys.argv[1] in ("restart", "stop") and pid.exists():
    os.kill(int(pid.read_text()), signal.SIGTERM)
    pid.unlink()
if sys.argv[1] == "restart":
    os.makedirs("/run/samba", exist_ok=True)
    started = start_service("/run/winbind.ready", ["winbindd", "--foreground", "--no-process-group"])
    pid.write_text(str(started.pid))
"""


def start_service(ready, argv, **more):
    """Start what tells systemd that it is ready (sd_notify(3)), and wait until it does."""
    Path(ready).unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(ready)
        with open(f"{ready}.log", "ab") as log:
            env = {**os.environ, "NOTIFY_SOCKET": ready}
            process = subprocess.Popen(
                argv, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **more
            )
        ended = os.pidfd_open(process.pid)
        while told in select.select([told, ended], [], [], 120)[0]:
            if b"READY=1" in told.recv(4096):
                os.close(ended)
                return process
    raise AssertionError(f"{argv[0]} did not start: {Path(f'{ready}.log').read_text()}")


def samba_tool(*words):
    subprocess.run(["samba-tool", *words, f"--configfile={DC}/etc/smb.conf"], check=True)


def make_domain():
    """Provision a domain and serve it, with its names, on an address of its own."""
    Path("/etc/hosts").write_text(
        f"127.0.0.1 localhost\n127.0.0.20 kronos.{REALM} kronos\n127.0.0.10 dc1.{REALM} dc1\n"
    )
    Path("/etc/resolv.conf").unlink(missing_ok=True)
    Path("/etc/resolv.conf").write_text(f"search {REALM}\nnameserver 127.0.0.10\n")
    SMB_CONF.unlink(missing_ok=True)
    DC.mkdir()
    subprocess.run(
        ["samba-tool", "domain", "provision", f"--realm={REALM}", f"--domain={SHORT}", f"--adminpass={ADMIN}",
         "--server-role=dc", "--dns-backend=SAMBA_INTERNAL", f"--targetdir={DC}", "--host-name=dc1",
         "--host-ip=127.0.0.10", "--option=interfaces=127.0.0.10/8", "--option=bind interfaces only=yes"],
        check=True)  # fmt: skip
    SMB_CONF.write_text(MINE)
    # Its /run is not the host's; where it tells that it is ready lies elsewhere.
    inside = "mount -t tmpfs tmpfs /run && mkdir /run/samba && exec samba --foreground --configfile=$0"
    start_service(
        "/srv/dc.ready",
        ["unshare", "--mount", "--propagation", "unchanged", "sh", "-c", inside, f"{DC}/etc/smb.conf"],
    )
    wait_for_domain()
    local = f"--URL={DC}/private/sam.ldb"
    samba_tool("user", "create", "alice", ALICE, "--given-name=Alice", "--surname=Adams", local)
    samba_tool("user", "create", "bob", BOB, local)
    samba_tool("group", "add", "night crew", local)
    samba_tool("group", "addmembers", "night crew", "bob", local)


def wait_for_domain():
    """Wait until the controller answers LDAP by Kerberos: it tells that it is ready before all its parts are."""
    question = ["samba-tool", "user", "list", f"--URL=ldap://dc1.{REALM}", "--use-kerberos=required",
                f"--user=Administrator@{REALM.upper()}%{ADMIN}", f"--option=realm={REALM.upper()}"]  # fmt: skip
    for _ in range(60):
        last = subprocess.run(question, check=False, capture_output=True, text=True)
        if last.returncode == 0:
            return
    raise AssertionError(f"the domain's controller does not answer: {last.stderr}")


class Client:
    """Calls over TLS, as any client's."""

    def __init__(self, port):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.server = xmlrpc.client.ServerProxy(f"https://127.0.0.1:{port}", context=context)
        self.session = ""

    def answer(self, method, *params):
        told = getattr(self.server, method)(*params)
        return told["Value"] if told["Status"] == "Success" else told["ErrorDescription"]

    def __call__(self, method, *params):
        return self.answer(method, self.session, *params)

    def login(self, user, password):
        told = self.answer("session.login_with_password", user, password)
        self.session = told if isinstance(told, str) else ""
        return told


def done(told):
    assert told == "", told


def asked(call, *params):
    """Return the answer of a call that has the domain looked up, asked again while no controller is found in time.

    Samba waits seconds only for an answer, and this one's controller shares a processor with all the rest.
    """
    told = ""
    for _ in range(10):
        told = call(*params)
        if not any(late in str(told) for late in ("failed to find DC", "Operations error", "is found")):
            break
    return told


def scenario(daemon, confirm):
    """What an operator and the domain's users do, from first to last."""
    root = Client(daemon.port)
    assert root.login("root", "secret").startswith("OpaqueRef:")
    (pool,), (host,) = root("pool.get_all"), root("host.get_all")
    join_fails(root, pool, host)
    root_config = {"user": "Administrator", "pass": ADMIN}
    done(asked(root, "pool.enable_external_auth", pool, root_config, REALM, "AD"))
    assert root("host.get_external_auth_service_name", host) == REALM
    assert "pass" not in root("host.get_external_auth_configuration", host)
    assert f"realm = {REALM.upper()}" in SMB_CONF.read_text()
    sids = names(root)
    users(daemon, root, sids, confirm)
    wrong = {"user": "Administrator", "pass": "wrong"}
    told = asked(root, "pool.disable_external_auth", pool, wrong)
    assert told[:2] == ["POOL_AUTH_DISABLE_FAILED_WRONG_CREDENTIALS", host], told
    done(asked(root, "pool.disable_external_auth", pool, root_config))
    assert SMB_CONF.read_text() == MINE
    assert Client(daemon.port).login("bob", BOB)[0] == "SESSION_AUTHENTICATION_FAILED"
    found = subprocess.run(["samba-tool", "computer", "list", f"--URL={DC}/private/sam.ldb"],
                           check=True, capture_output=True, text=True).stdout  # fmt: skip
    assert "KRONOS" not in found, found
    told = daemon.tools.paths.audit_log.read_text()
    for secret in (ADMIN, ALICE, BOB):
        assert secret not in told


def _once(call, *params):
    return call(*params)


def join_fails(root, pool, host):
    """Every way not to join leaves Samba's configuration as it was."""
    for realm, config, why in (
        (REALM, {"user": "Administrator", "pass": "wrong"}, "WRONG_CREDENTIALS"),
        (REALM, {"user": "nobody", "pass": "wrong"}, "WRONG_CREDENTIALS"),
        (REALM, {}, "WRONG_CREDENTIALS"),
        (REALM, {"user": "Administrator", "pass": ADMIN, "ou": "No/Such"}, "INVALID_OU"),
        ("other.test", {"user": "Administrator", "pass": ADMIN}, "DOMAIN_LOOKUP_FAILED"),
        ("-x", {"user": "Administrator", "pass": ADMIN}, "DOMAIN_LOOKUP_FAILED"),
    ):
        call = asked if realm == REALM else _once
        told = call(root, "pool.enable_external_auth", pool, config, realm, "AD")
        assert told[:2] == [f"POOL_AUTH_ENABLE_FAILED_{why}", host], (realm, config, told)
        assert SMB_CONF.read_text() == MINE
        done(root("host.get_external_auth_type", host))


def names(root):
    """Names to SIDs, and what is known of them."""
    sids = {
        name: root("auth.get_subject_identifier", name) for name in ("alice", f"{SHORT}\\bob", "night crew")
    }
    assert all(sid.startswith("S-1-5-21-") for sid in sids.values()), sids
    facts = root("auth.get_subject_information_from_identifier", sids["alice"])
    assert facts["subject-name"] == f"{SHORT}\\alice", facts
    assert (facts["subject-upn"], facts["subject-displayname"]) == (f"alice@{REALM}", "Alice Adams"), facts
    assert facts["subject-account-disabled"] == "false", facts
    assert sids["night crew"] in root("auth.get_group_membership", sids[f"{SHORT}\\bob"])
    assert (
        root("auth.get_subject_information_from_identifier", sids["night crew"])["subject-is-group"] == "true"
    )
    for unknown in ("nobody", "", "-x"):
        assert root("auth.get_subject_identifier", unknown) == ["SUBJECT_CANNOT_BE_RESOLVED"]
    assert root("auth.get_group_membership", "S-1-5-21-1-2-3-4") == ["SUBJECT_CANNOT_BE_RESOLVED"]
    return sids


def users(daemon, root, sids, confirm):
    """Who comes in, by which names, and who is sent away when the domain disowns him."""

    def subject(name, role):
        ref = root("subject.create", {"subject_identifier": sids[name], "other_config": {}})
        done(root("subject.add_to_roles", ref, *root("role.get_by_name_label", role)))

    alice, bob = Client(daemon.port), Client(daemon.port)
    assert alice.login("alice", ALICE)[0] == "SESSION_AUTHORIZATION_FAILED"
    subject("alice", "read-only")
    subject("night crew", "vm-operator")
    for name in ("alice", f"{SHORT}\\alice", f"alice@{REALM}"):
        assert isinstance(alice.login(name, ALICE), str), name
        assert alice("session.get_auth_user_name", alice.session) == f"{SHORT}\\alice"
    assert alice.login("alice", BOB)[0] == "SESSION_AUTHENTICATION_FAILED"
    assert alice.login("night crew", BOB)[0] == "SESSION_AUTHENTICATION_FAILED"
    assert isinstance(alice.login("alice", ALICE), str)
    assert isinstance(bob.login("bob", BOB), str)
    assert "vm.start" in bob("session.get_rbac_permissions", bob.session)
    assert "vm.start" not in alice("session.get_rbac_permissions", alice.session)
    confirm()
    assert isinstance(bob("pool.get_all"), list)
    assert bob("pool.get_all")[0].startswith("OpaqueRef:")
    samba_tool("user", "delete", "bob", f"--URL={DC}/private/sam.ldb")
    samba_tool("user", "disable", "alice", f"--URL={DC}/private/sam.ldb")
    confirm()
    for gone in (alice, bob):
        assert gone("pool.get_all")[0] == "SESSION_INVALID"


async def root_only(user, password):
    return (user, password) == ("root", "secret")


async def serve():
    options = Options(Paths(Path("/")), simulator=True, address="127.0.0.1", port=0, under_systemd=False,
                      authenticate=root_only, login_delay_s=0.0)  # fmt: skip
    daemon = Daemon(options)
    await daemon.start()
    loop = asyncio.get_running_loop()

    def confirm():
        asyncio.run_coroutine_threadsafe(confirm_sessions(daemon.tools, 0.0), loop).result(60)

    try:
        await asyncio.to_thread(scenario, daemon, confirm)
    finally:
        await daemon.stop()


def main():
    subprocess.run(["hostname", "kronos"], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    systemctl = Path("/usr/local/bin/systemctl")
    systemctl.write_text(SYSTEMCTL)
    systemctl.chmod(0o755)
    make_domain()
    asyncio.run(serve())
    print("done")


if __name__ == "__main__":
    sys.exit(main())
