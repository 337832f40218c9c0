"""doctor: storage repositories that are not plugged, not mounted, or whose server is away."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest
from doctor_kit import RECORDS, ids
from installer_kit import make_host, put

from kronos_installer.doctor.storage_health import (
    Server,
    StorageReading,
    reach_port,
    read_storage,
    server_of,
    storage_findings,
)

if TYPE_CHECKING:
    from pathlib import Path

OWN = "OpaqueRef:h"
NFS = {"server": "san.example", "serverpath": "/disks"}
SERVER = Server("san.example", 2049)
POINT = "/run/sr-mount/u-s"


def records(kind: str, config: dict[str, str], **pbd: Any) -> dict[str, dict[str, dict[str, Any]]]:
    """Return what the daemon tells of a host with one repository."""
    sr, own = RECORDS["SR"]["OpaqueRef:s"], RECORDS["PBD"]["OpaqueRef:b"]
    return RECORDS | {
        "SR": {"OpaqueRef:s": sr | {"type": kind, "shared": True}},
        "PBD": {"OpaqueRef:b": own | {"device_config": config} | pbd},
    }


@pytest.mark.parametrize(("kind", "config", "server"), [
    ("nfs", NFS, SERVER),
    ("nfs", {"server": "2001:DB8::1", "serverpath": "/d"}, Server("2001:db8::1", 2049)),
    ("nfs", {"server": "[2001:DB8::1]", "serverpath": "/d"}, Server("2001:db8::1", 2049)),
    ("nfs", NFS | {"options": "port=20049"}, None),
    ("iso", {"location": "192.0.2.7:/iso"}, Server("192.0.2.7", 2049)),
    ("iso", {"location": "[2001:db8::2]:/iso"}, Server("2001:db8::2", 2049)),
    ("iso", {"location": "/srv/iso", "legacy_mode": "true"}, None),
    ("lvmoiscsi", {"target": "2001:db8::3"}, Server("2001:db8::3", 3260)),
    ("lvmoiscsi", {"target": "192.0.2.8", "port": "3261"}, Server("192.0.2.8", 3261)),
    ("lvmoiscsi", {"target": "192.0.2.8", "port": "\u0661"}, Server("192.0.2.8", 3260)),
    ("file", {"location": "/var/lib/xapi/sr"}, None),
    ("nfs", {"server": "a b;c"}, None),
    ("nfs", None, None),
])  # fmt: skip
def test_whom_a_repository_is_from(kind: str, config: object, server: Server | None) -> None:
    assert server_of(kind, config) == server


def test_a_server_that_is_away_is_named(tmp_path: Path) -> None:
    host = make_host(tmp_path)
    asked: list[tuple[str, int]] = []

    def away(name: str, port: int) -> str:
        asked.append((name, port))
        return "timed out"

    put(
        host,
        "/proc/self/mountinfo",
        f"40 30 0:40 / {POINT} rw,relatime shared:1 - nfs4 san.example:/disks rw\n",
    )
    told = records("nfs", NFS)
    reading = read_storage(host, told, OWN, away)
    assert asked == [("san.example", 2049)]
    assert reading == StorageReading({SERVER: "timed out"}, frozenset({POINT}))
    (problem,) = storage_findings(told, OWN, reading)
    assert (problem.id, problem.diagnosis) == ("sr-server-silent", "san.example:2049")
    assert ids(storage_findings(told, OWN, read_storage(host, told, OWN, lambda _name, _port: ""))) == []


def test_a_repository_that_is_not_plugged_because_its_server_is_away() -> None:
    told = records("nfs", NFS, currently_attached=False)
    assert ids(storage_findings(told, OWN, StorageReading({SERVER: "no route"}, frozenset()))) == [
        "sr-server-silent",
        "sr-not-attached",
    ]


def test_a_repository_that_somebody_unmounted() -> None:
    told = records("nfs", NFS)
    (problem,) = storage_findings(told, OWN, StorageReading({}, frozenset({"/"})))
    assert (problem.id, problem.diagnosis) == ("sr-not-mounted", POINT)
    assert ids(storage_findings(told, OWN, StorageReading({}, None))) == []
    local = records("file", {"location": "/srv"})
    assert ids(storage_findings(local, OWN, StorageReading({}, frozenset({"/"})))) == []


def test_a_shared_default_that_this_host_has_no_way_to() -> None:
    told = records("nfs", NFS, host="OpaqueRef:other")
    nobody = StorageReading({}, None)
    assert ids(storage_findings(told, OWN, nobody)) == ["sr-default-elsewhere"]
    told["SR"]["OpaqueRef:s"]["shared"] = False
    assert ids(storage_findings(told, OWN, nobody)) == []


def test_a_port_is_really_tried() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        assert reach_port("127.0.0.1", port) == ""
    assert "refused" in reach_port("127.0.0.1", port)
    assert reach_port("a" * 300, 1)
