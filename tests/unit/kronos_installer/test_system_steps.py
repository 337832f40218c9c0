"""Hostname, time servers and firewall rules: done, undone, cut off anywhere; and the edits' finer points."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from installer_kit import HERE, FakeCommands, make_host, put, snapshot

from kronos_installer import executor
from kronos_installer.detect.system import read_system
from kronos_installer.facts import read_facts
from kronos_installer.firewall.firewalld_edit import edit_firewalld
from kronos_installer.firewall.iptables_edit import edit_iptables
from kronos_installer.firewall.nftables_edit import edit_nftables
from kronos_installer.firewall.nftables_text import NotUnderstoodError, base_chains
from kronos_installer.firewall.ufw_edit import edit_ufw
from kronos_installer.hostname_edit import edit_hosts
from kronos_installer.journal import Journal, Phase
from kronos_installer.plan import Plan, make_plan
from kronos_installer.steps.checked_file_step import CheckedFileStep
from kronos_installer.steps.step import step_from_json, step_to_json
from kronos_installer.system_checks import hostname_problems
from kronos_installer.system_plan import system_steps
from kronos_installer.wishes import Wishes
from xapi_shim.base.progress import Reporter

if TYPE_CHECKING:
    from pathlib import Path

    from kronos_installer.host import Host

QUIET = Reporter(io.StringIO())
WISHES = Wishes(
    installation_uuid="11111111-1111-4111-8111-111111111111",
    control_domain_uuid="22222222-2222-4222-8222-222222222222",
    hostname="xen1.example.org",
    ntp_servers=("ntp1.example.org",),
)
NIC = "enp0s3"


class Crash(BaseException):
    """The power cut."""


def walled_host(folder: Path) -> Host:
    return make_host(folder, HERE / "cases/firewall_nftables/host")


def system_part(host: Host) -> Plan:
    """Return the plan without the steps that have tests of their own."""
    plan = make_plan(read_facts(host, host.runner), WISHES)
    ours = ("/etc/nftables", "/etc/host", "/etc/systemd/timesyncd")
    steps = tuple(step for step in plan.steps if any(f" {path}" in step.describe() for path in ours))
    assert len(steps) == 5
    return replace(plan, steps=steps)


def crashing(host: Host, at: int) -> Host:
    left = [at]

    def effect(what: str) -> None:
        if left[0] == 0:
            raise Crash(what)
        left[0] -= 1

    return replace(host, on_effect=effect)


def test_cut_off_anywhere_both_ways_lead_to_their_ends(tmp_path: Path) -> None:
    host = walled_host(tmp_path / "whole")
    before = snapshot(host)
    seen: list[str] = []
    executor.apply(system_part(host), replace(host, on_effect=seen.append), QUIET)
    after = snapshot(host)
    assert before != after
    forth = len(seen)
    executor.rollback(replace(host, on_effect=seen.append), QUIET)
    assert snapshot(host) == before
    for at in range(len(seen)):
        cut = walled_host(tmp_path / str(at))
        with pytest.raises(Crash):
            if at < forth:
                executor.apply(system_part(cut), crashing(cut, at), QUIET)
            else:
                executor.apply(system_part(cut), cut, QUIET)
                executor.rollback(crashing(cut, at - forth), QUIET)
        if Journal(cut).load().phase is Phase.APPLYING and at % 2:
            executor.resume_apply(cut, QUIET)
            assert snapshot(cut) == after, f"crash at effect {at}"
        if Journal(cut).load().phase is not Phase.CLEAN:
            executor.rollback(cut, QUIET)
        assert snapshot(cut) == before, f"crash at effect {at}"


def test_rules_that_nft_does_not_take_undo_everything(tmp_path: Path) -> None:
    host = walled_host(tmp_path)
    before = snapshot(host)
    assert isinstance(host.runner, FakeCommands)
    host.runner.broken.add("nft")
    with pytest.raises(executor.ApplyFailedError, match="nft --check"):
        executor.apply(system_part(host), host, QUIET)
    assert snapshot(host) == before
    assert "nft --check --file /etc/nftables.conf" in host.runner.ran


def test_a_checked_file_comes_back_from_the_journal() -> None:
    step = CheckedFileStep(path="/a", content=b"\xff", before=None, reason="r", check=("nft", "--check"))
    assert step_from_json(step_to_json(step)) == step


@pytest.mark.parametrize("case", ["nftables", "ufw", "iptables", "firewalld", "firewalld_zone"])
def test_what_is_there_already_is_not_done_again(tmp_path: Path, case: str) -> None:
    host = make_host(tmp_path, HERE / f"cases/firewall_{case}/host")
    steps = list(system_steps(read_system(host, host.runner), WISHES, NIC))
    executor.apply(Plan(tuple(steps), (), WISHES), host, QUIET)
    again = system_steps(read_system(host, host.runner), WISHES, NIC)
    # A copy of a rule for the bridge is the one thing that is not told from a rule of the operator's.
    assert [
        s.describe() for s in again if case not in ("iptables", "ufw") or "rules" not in s.describe()
    ] == []


HOSTS = {
    "no line": ("127.0.0.1 localhost\n", "127.0.0.1 localhost\n127.0.1.1\txen1\n"),
    "kept domain": ("127.0.1.1 lab.a.b lab # lab\n", "127.0.1.1 xen1.a.b xen1 # lab\n"),
    "static address": ("192.0.2.7\tLAB\n::1 localhost lab\n", "192.0.2.7\txen1\n::1 localhost xen1\n"),
    "with localhost only": ("127.0.0.1 localhost lab\n", "127.0.0.1 localhost xen1\n127.0.1.1\txen1\n"),
    "others' names": ("192.0.2.9 lab2 mylab lab-a\n", "192.0.2.9 lab2 mylab lab-a\n127.0.1.1\txen1\n"),
    "others' of the label": (
        "192.0.2.8 lab.x\n192.0.2.9 lab.y\n127.0.0.1 lab.z\n",
        "192.0.2.8 lab.x\n192.0.2.9 lab.y\n127.0.0.1 xen1.z\n127.0.1.1\txen1\n",
    ),
    "new label below a domain": ("192.0.2.8 xen1.x\n", "192.0.2.8 xen1.x\n127.0.1.1\txen1\n"),
    "empty": ("", "127.0.1.1\txen1\n"),
    "no newline": ("127.0.0.1 localhost", "127.0.0.1 localhost\n127.0.1.1\txen1\n"),
}


@pytest.mark.parametrize(("before", "after"), HOSTS.values(), ids=HOSTS)
def test_the_hosts_file_follows_the_name(before: str, after: str) -> None:
    assert edit_hosts(before, "lab", "xen1") == after


DOMAINS = {
    "short": ("127.0.1.1 lab # lab\n", "127.0.1.1 xen1.a xen1 # lab\n"),
    "short at the address": ("192.0.2.7\tother lab\n", "192.0.2.7\tother xen1.a xen1\n"),
    "another domain": ("127.0.1.1 lab.b lab\n", "127.0.1.1 xen1.a xen1\n"),
    "there already": ("127.0.1.1 xen1.a\txen1\n", "127.0.1.1 xen1.a\txen1\n"),
    "no line": ("", "127.0.1.1\txen1.a\txen1\n"),
    "with localhost only": ("::1 localhost lab\n", "::1 localhost xen1\n127.0.1.1\txen1.a\txen1\n"),
}


@pytest.mark.parametrize(("before", "after"), DOMAINS.values(), ids=DOMAINS)
def test_the_hosts_file_gets_the_domain(before: str, after: str) -> None:
    assert edit_hosts(before, "lab", "xen1.a") == after
    assert edit_hosts(after, "xen1", "xen1.a") == after


@pytest.mark.parametrize("old", ["localhost", "localhost.localdomain", "LOCALHOST"])
def test_the_loopback_keeps_its_name_where_the_host_had_none(old: str) -> None:
    fedora = "127.0.0.1 localhost localhost.localdomain\n::1 localhost localhost6\n"
    assert edit_hosts(fedora, old, "xen1.a") == fedora + "127.0.1.1\txen1.a\txen1\n"


@pytest.mark.parametrize("name", ["localhost", "Localhost.localdomain", "xen1.localhost"])
def test_no_host_is_named_like_the_loopback(tmp_path: Path, name: str) -> None:
    host = make_host(tmp_path)
    system = read_system(host, host.runner)
    assert [p.id for p in hostname_problems(system, replace(WISHES, hostname=name))] == ["hostname-invalid"]
    put(host, "/etc/hostname", f"{name}\n")
    found = hostname_problems(read_system(host, host.runner), replace(WISHES, hostname=""))
    assert "hostname-missing" in [p.id for p in found]


@given(
    st.lists(st.sampled_from(["lab", "xen1", "a", ".", " ", "\t", "#", "\n", "127.0.1.1", "localhost"])).map(
        "".join
    )
)
def test_the_hosts_file_names_the_host_once_edited_and_stays(text: str) -> None:
    once = edit_hosts(text, "lab", "xen1")
    assert edit_hosts(once, "xen1", "xen1") == once
    assert any("xen1" in line.partition("#")[0].split()[1:] for line in once.splitlines())


def nft(text: str, ports: tuple[int, ...] = (443,)) -> tuple[str, list[str]]:
    edited = edit_nftables({"/etc/nftables.conf": text.encode()}, NIC, ports)
    return edited.files.get("/etc/nftables.conf", b"").decode(), [p.diagnosis for p in edited.problems]


CHAIN = "table inet filter {\n chain input {\n  type filter hook input priority 0; policy drop;\n%s\n }\n}\n"
ADDED = 'insert rule inet filter input tcp dport 443 accept comment "XenAPI"\n'


def test_a_chain_that_may_refuse_is_opened_whatever_the_form() -> None:
    assert nft(CHAIN % "")[0].endswith(ADDED)
    commands = "add table ip f\nadd chain ip f i { type filter hook input priority 0; }\nadd rule ip f i tcp dport 1 drop\n"
    assert nft(commands)[0].endswith('insert rule ip f i tcp dport 443 accept comment "XenAPI"\n')
    assert "insert rule ip filter input" in nft((CHAIN % "").replace("table inet", "table"))[0]
    assert nft((CHAIN % "").replace("policy drop", "policy accept")) == ("", [])
    assert nft((CHAIN % "  tcp dport 1 jump x").replace("policy drop;", ""))[0].endswith(ADDED)
    assert nft((CHAIN % "").replace("inet filter", "bridge filter")) == ("", [])
    assert nft((CHAIN % "").replace("hook input", "hook output")) == ("", [])


def test_a_chain_that_drops_all_before_routing_is_refused_unless_nothing_is_to_be_opened() -> None:
    early = (
        "table inet f {\n chain early {\n  type filter hook prerouting priority -300; policy drop;\n }\n}\n"
    )
    assert nft(early) == ("", ["/etc/nftables.conf:2"])
    assert nft(early, ()) == ("", [])
    assert nft(early.replace("policy drop", "fib saddr . iif oif missing drop")) == ("", [])


@pytest.mark.parametrize("text", ["table inet $t {\n chain input {\n type filter hook input priority 0;\n}\n}\n",
                                  "table inet filter {\n", "}", "chain x {\n hook\n}\ntype filter hook input"])  # fmt: skip
def test_rules_that_are_not_understood_are_refused(text: str) -> None:
    with pytest.raises(NotUnderstoodError):
        base_chains(text)
    assert nft(text)[1]


@given(st.text('{};"#\n tablechinputhook$', max_size=80))
def test_no_text_makes_the_reader_fail_otherwise(text: str) -> None:
    try:
        base_chains(text)
    except NotUnderstoodError:
        pass


@pytest.mark.parametrize("rule", ['iifname . tcp dport { "enp0s3" . 22 } accept', "iif enp0s3 . ip saddr @x accept",
                                  "iifname vmap { enp0s3 : drop }", "enp0s3", "iifname {\n enp0s3\n } accept"])  # fmt: skip
def test_a_rule_that_cannot_be_carried_over_is_named_by_its_line(rule: str) -> None:
    assert [at.split(":")[0] for at in nft(CHAIN % rule)[1]] == ["/etc/nftables.conf"]


@pytest.mark.parametrize("rule", ['iifname "enp0s31" accept', "tcp dport 1 accept comment \"enp0s3\"", "# enp0s3",
                                  "iifname { enp0s3, xenbr0 } accept", 'iifname "*" accept', 'iifname "xen*" accept'])  # fmt: skip
def test_a_rule_that_does_not_speak_of_the_interface_alone_stays(rule: str) -> None:
    text, problems = nft(CHAIN % rule)
    assert rule in text
    assert problems == []


def test_a_variable_that_also_stands_where_no_set_may_is_refused() -> None:
    text = "define W = enp0s3\n" + CHAIN % "iifname $W accept\nmeta oif $W drop"
    assert nft(text)[1] == ["/etc/nftables.conf:1"]


def test_what_is_hooked_to_the_port_stays_with_a_warning() -> None:
    text, problems = nft(
        "table netdev x {\n chain y {\n  type filter hook ingress device enp0s3 priority 0;\n }\n}\n"
    )
    assert (text, problems) == ("", ["/etc/nftables.conf:3"])


def test_an_open_iptables_stays_as_it_is() -> None:
    rules = b"*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp -j LOG\n-A INPUT -p tcp -j ACCEPT\nCOMMIT\n"
    assert edit_iptables({"/etc/iptables/rules.v4": rules}, NIC, (443,)).files == {}


CLOSED = {
    "counters": ":INPUT ACCEPT [0:0]\n[1:2] -A INPUT -i lo -j ACCEPT\n[3:4] -A INPUT -j DROP\n",
    "counters and policy": ":INPUT DROP [0:0]\n[1:2] -A INPUT -i lo -j ACCEPT\n[3:4] -A INPUT -j REJECT\n",
    "goto": ":INPUT ACCEPT\n:own -\n-A INPUT -g own\n-A own -j DROP\n",
    "long options": ":INPUT ACCEPT\n--append INPUT --jump DROP\n",
    "policy by itself": "-P INPUT DROP\n-A INPUT -i lo -j ACCEPT\n",
}


@pytest.mark.parametrize("rules", CLOSED.values(), ids=CLOSED)
def test_an_iptables_that_may_refuse_is_opened_before_its_first_rule(rules: str) -> None:
    text = f"*filter\n{rules}COMMIT\n"
    edited = edit_iptables({"/a": text.encode()}, NIC, (443,))
    lines = edited.files["/a"].decode().splitlines()
    first = next(n for n, line in enumerate(lines) if " INPUT " in line and not line.startswith((":", "-P")))
    assert "--dport 443" in lines[first]
    assert [line for n, line in enumerate(lines) if n != first] == text.splitlines()
    assert edit_iptables(edited.files, NIC, (443,)).files == {}


def test_interfaces_by_prefix_are_copied_too() -> None:
    rules = b"*filter\n-A FORWARD -i enp+ -o lo -j ACCEPT\n-A FORWARD -i xen+ -j ACCEPT\nCOMMIT\n"
    edited = edit_iptables({"/a": rules}, NIC, ())
    assert edited.files["/a"] == rules.replace(
        b"-j ACCEPT\n-A", b"-j ACCEPT\n-A FORWARD -i xenbr0 -o lo -j ACCEPT\n-A", 1
    )


def test_ufw_without_its_marks_is_refused() -> None:
    assert [p.id for p in edit_ufw({"/etc/ufw/user.rules": b"*filter\nCOMMIT\n"}, NIC, (443,)).problems] == [
        "firewall-not-understood"
    ]


def test_a_zone_that_lets_all_in_needs_no_opening() -> None:
    zone = {"/usr/lib/firewalld/zones/trusted.xml": b'<zone target="ACCEPT">\n</zone>\n'}
    assert edit_firewalld(zone, {"": "trusted"}, NIC, (443,)).files == {}
    assert [p.id for p in edit_firewalld({}, {"": "gone"}, NIC, (443,)).problems] == [
        "firewall-not-understood"
    ]
    assert [
        p.id
        for p in edit_firewalld({"/etc/firewalld/zones/a.xml": b"<zone/>"}, {"": "a"}, NIC, (443,)).problems
    ] == ["firewall-not-understood"]


def test_a_zone_is_ended_where_no_comment_is() -> None:
    zone = {
        "/etc/firewalld/zones/a.xml": b'<zone>\n<!-- <service name="https"/> -->\n</zone>\n<!-- </zone> -->\n'
    }
    (new,) = edit_firewalld(zone, {"": "a"}, NIC, (443,)).files.values()
    assert b' -->\n  <service name="https"/>\n</zone>\n<!-- </zone> -->\n' in new


def test_the_zone_of_the_connection_is_opened() -> None:
    zones = {f"/usr/lib/firewalld/zones/{z}.xml": b"<zone>\n</zone>\n" for z in ("public", "home")}
    edited = edit_firewalld(zones, {"": "public", NIC: "home"}, NIC, (443, 8080))
    assert edited.files == {
        "/etc/firewalld/zones/home.xml": b'<zone>\n  <service name="https"/>\n  <port port="8080" protocol="tcp"/>\n</zone>\n'
    }


def test_a_hosts_file_that_is_a_link_matters_only_to_a_new_name(tmp_path: Path) -> None:
    host = make_host(tmp_path)
    host.at("/etc/hosts").unlink()
    put(host, "/srv/hosts", "127.0.0.1 localhost\n")
    host.at("/etc/hosts").symlink_to("../srv/hosts")
    facts = read_facts(host, host.runner)
    make_plan(facts, replace(WISHES, hostname=""))
    with pytest.raises(Exception, match=r"/etc/hosts is a symbolic link"):
        make_plan(facts, WISHES)
