"""xe's commands about the host's own system, certificates, callers and the daemon."""

import pytest
from certificates import Authority, key_pem, rsa_key
from test_conformance_xe import xe  # noqa: F401 -- a fixture


@pytest.fixture
def host(xe):  # noqa: F811
    return xe("host-list", "--minimal").strip()


def test_certificates(xe, tmp_path, running):  # noqa: F811
    authority, key = Authority(), rsa_key()
    files = {"ca.pem": authority.pem, "crl.pem": authority.revocations(), "key.pem": key_pem(key),
             "leaf.pem": authority.sign(key, "h")}  # fmt: skip
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    xe("pool-install-ca-certificate", f"filename={tmp_path / 'ca.pem'}")
    assert xe("pool-certificate-list").strip() == "ca.pem"
    assert xe("certificate-list", "type=ca", "params=name", "--minimal").strip() == "ca.pem"
    xe("pool-crl-install", f"filename={tmp_path / 'crl.pem'}")
    assert xe("pool-crl-list").strip() == "crl.pem"
    xe("pool-crl-uninstall", "name=crl.pem")
    xe("pool-certificate-sync")
    xe("host-server-certificate-install", f"certificate={tmp_path / 'leaf.pem'}",
       f"private-key={tmp_path / 'key.pem'}", f"certificate-chain={tmp_path / 'ca.pem'}")  # fmt: skip
    assert xe("host-get-server-certificate").strip() == files["leaf.pem"].strip()
    xe("host-reset-server-certificate")
    assert xe("host-get-server-certificate").strip() != files["leaf.pem"].strip()
    xe("pool-enable-tls-verification")
    xe("host-emergency-disable-tls-verification")
    assert "TLS_VERIFICATION_EMERGENCY_DISABLED" in xe("message-list")
    xe("host-emergency-reenable-tls-verification")
    xe("pool-uninstall-ca-certificate", "name=ca.pem")
    failed = xe("pool-uninstall-ca-certificate", "name=ca.pem", check=False)
    assert failed.returncode == 1
    assert "certificate" in failed.stderr.lower()
    xe("message-destroy-all", "priority=3")
    assert xe("message-list", "--minimal").strip() == ""


def test_the_host(xe, host, running):  # noqa: F811
    xe("host-send-debug-keys", f"host-uuid={host}", "keys=q")
    assert "'q' pressed" in xe("host-dmesg")
    xe("host-set-hostname-live", f"host-uuid={host}", "host-name=renamed")
    assert xe("host-param-get", f"uuid={host}", "param-name=hostname").strip() == "renamed"
    xe("host-disable-ssh")
    assert xe("host-param-get", f"uuid={host}", "param-name=ssh-enabled").strip() == "false"
    xe("pool-enable-ssh")
    xe("host-param-set", f"uuid={host}", "logging:syslog_destination=192.0.2.1")
    xe("host-syslog-reconfigure", f"host-uuid={host}")
    assert running.paths.remote_syslog.exists()
    assert xe("host-compute-memory-overhead").strip().isdigit()
    failed = xe("host-shutdown", f"uuid={host}", check=False)
    assert "disabled" in failed.stderr.lower()
    xe("host-disable", f"uuid={host}")
    xe("host-reboot", f"uuid={host}")
    assert running.daemon.tools.system.machine.done == ["reboot"]


def test_callers_and_the_daemon(xe, host):  # noqa: F811
    caller = xe("caller-create", "name-label=c", "user-agent=backup/1").strip()
    limit = xe("rate-limit-create", "burst-size=10", "fill-rate=5", f"caller-uuids={caller}").strip()
    assert xe("caller-param-get", f"uuid={caller}", "param-name=rate-limit").strip() == limit
    assert "call-count" in xe("caller-query-usage", f"uuid={caller}")
    assert "backup/1" in xe("caller-list-usage")
    xe("rate-limit-remove-caller", f"uuid={limit}", f"caller-uuid={caller}")
    xe("rate-limit-destroy", f"uuid={limit}")
    xe("caller-destroy", f"uuid={caller}")
    xe("diagnostic-compact")
    assert "generation_0" in xe("diagnostic-gc-stats")
    assert "host" in xe("diagnostic-db-stats")
    assert "host.get_all" in xe("diagnostic-timing-stats")
    assert "POST /cli" in xe("diagnostic-net-stats", "method=POST")
