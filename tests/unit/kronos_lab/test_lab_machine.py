"""A lab machine's command line, its process and its waits, without booting any."""

import contextlib
import itertools
import json
import os
import socket
import threading
from pathlib import Path

import pytest

from kronos_lab import machine as machine_module
from kronos_lab.acceleration import kvm_works, nested_is_on
from kronos_lab.far_side import FarSide
from kronos_lab.machine import SOCKET_PATH_BYTES, LabError, Machine, free_port, wait_until
from kronos_lab.qemu import SEGMENT_BASE_PORT, SEGMENT_PORTS, Neighbour, QemuSpec, qemu_argv, segment_port
from xapi_shim.base.process import Completed, ProcessTimeoutError


@pytest.fixture(autouse=True)
def no_program_starts(monkeypatch):
    def refuse(argv, **_):
        raise AssertionError(f"a unit test starts {argv}")

    for name in ("run", "start"):
        monkeypatch.setattr(machine_module, name, refuse)
    monkeypatch.setattr(machine_module, "kvm_works", lambda: False)
    monkeypatch.setattr(machine_module, "ssh_key", lambda: Path("/key"))
    monkeypatch.setattr(machine_module, "POLL_S", 0.001)


def spec(**more):
    folder = Path("/lab/m")
    return QemuSpec("m", folder, folder / "disk.qcow2", ((2200, 22), (4430, 443)), **more)


def option(argv, name):
    return [value for flag, value in itertools.pairwise(argv) if flag == name]


def test_argv_is_the_emulated_processor_that_xen_and_its_guests_run_on():
    argv = qemu_argv(spec())
    assert option(argv, "-accel") == ["tcg,thread=multi"]
    assert option(argv, "-cpu") == ["qemu64,+svm,+npt"]
    assert option(argv, "-m") == ["4096"]


def test_argv_uses_kvm_when_told():
    argv = qemu_argv(spec(kvm=True))
    assert option(argv, "-accel") == ["kvm"]
    assert option(argv, "-cpu") == ["host"]


def test_argv_forwards_ports_of_the_loopback_only():
    (net,) = option(qemu_argv(spec()), "-netdev")
    assert net == "user,id=net0,hostfwd=tcp:127.0.0.1:2200-:22,hostfwd=tcp:127.0.0.1:4430-:443"


def test_argv_with_a_segment_has_a_second_nic_on_the_loopback():
    _, wire = option(qemu_argv(spec(segment="a", index=7)), "-netdev")
    assert wire.endswith(f":{segment_port('a')},localaddr=127.0.0.1")
    macs = [d for d in option(qemu_argv(spec(segment="a", index=7)), "-device") if "mac=" in d]
    assert ["mac=52:54:00:12:34:07" in macs[0], "mac=52:54:00:12:35:07" in macs[1]] == [True, True]


def test_segments_of_other_names_have_other_ports():
    ports = {segment_port(name) for name in ("ab", "ba", "lab", "pool")}
    assert len(ports) == 4
    assert all(SEGMENT_BASE_PORT <= port < SEGMENT_BASE_PORT + SEGMENT_PORTS for port in ports)


def test_free_port_can_be_bound():
    with socket.socket() as wire:
        wire.bind(("127.0.0.1", free_port()))


def test_wait_until_looks_again_and_names_what_it_waited_for():
    looks = iter([False, False, True])
    wait_until("the third look", lambda: next(looks), 5)
    with pytest.raises(LabError, match=r"waited 0 s in vain: never"):
        wait_until("never", lambda: False, 0)


def test_a_wait_survives_a_look_that_a_rebooting_machine_swallows(tmp_path, monkeypatch):
    answers = iter(
        [ProcessTimeoutError(["ssh"], 60), Completed((), 255, "", ""), Completed((), 0, "new\n", "")]
    )

    def execute(*_, **__):
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    machine = Machine(tmp_path / "base", folder=tmp_path, ports={22: 1})
    monkeypatch.setattr(machine, "execute", execute)
    machine.wait_for_new_boot("old", 5)


def test_the_same_boot_id_is_not_a_new_boot(tmp_path, monkeypatch):
    machine = Machine(tmp_path / "base", folder=tmp_path, ports={22: 1})
    monkeypatch.setattr(machine, "execute", lambda *_, **__: Completed((), 0, "old\n", ""))
    with pytest.raises(LabError, match="comes back"):
        machine.wait_for_new_boot("old", 0)


def test_a_pid_file_left_by_a_crash_is_no_running_machine(tmp_path):
    machine = Machine(tmp_path / "base", folder=tmp_path, ports={22: 1})
    assert machine.qemu_pid() is None
    machine.spec.pid_file.write_text(f"{os.getpid()}\n")  # a stranger's number by now
    assert machine.qemu_pid() is None
    machine.power_off()  # and nobody is killed for it
    assert not machine.spec.pid_file.exists()


def test_a_machine_that_cannot_start_is_powered_off_and_its_evidence_kept(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(machine_module, "FAILURES", tmp_path / "failures")
    machine = Machine(tmp_path / "base", name="m", folder=tmp_path / "m")
    done = []
    monkeypatch.setattr(machine, "power_off", lambda: done.append("off"))
    monkeypatch.setattr(machine, "execute", lambda *_, **__: Completed((), 255, "", ""))

    def fail(**_):
        machine.spec.console_log.parent.mkdir(parents=True)
        machine.spec.console_log.write_text("panic\n")
        raise LabError("no")

    monkeypatch.setattr(machine, "power_on", fail)
    with pytest.raises(LabError, match="no"), machine:
        pass
    assert done == ["off"]
    assert (tmp_path / "failures/m/console.log").read_text() == "panic\n"
    assert str(tmp_path / "failures/m") in capsys.readouterr().err


def test_a_folder_too_deep_for_a_socket_is_named(tmp_path):
    deep = tmp_path / ("x" * SOCKET_PATH_BYTES)
    with pytest.raises(LabError, match=r"too long for a socket's name \(set KRONOS_CACHE\)"):
        Machine(tmp_path / "base", folder=deep, ports={22: 1}).power_on()


def test_scp_uses_its_own_word_for_the_port(tmp_path, monkeypatch):
    ran = []
    monkeypatch.setattr(machine_module, "run", ran.append)
    machine = Machine(tmp_path / "base", folder=tmp_path, ports={22: 2222})
    machine.copy_to([tmp_path / "a"], "/tmp")
    machine.copy_from(["/etc/fstab"], tmp_path / "here")
    assert all(argv[argv.index("-P") + 1] == "2222" and "-p" not in argv for argv in ran)
    assert ran[0][-2:] == [str(tmp_path / "a"), "root@127.0.0.1:/tmp"]
    assert ran[1][-2:] == ["root@127.0.0.1:/etc/fstab", tmp_path / "here"]


def answer_qmp(path, answer):
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen(1)

    def serve():
        wire, _ = server.accept()
        with wire, server, contextlib.suppress(OSError):
            lines = wire.makefile("rw")
            lines.write('{"QMP": {}}\n')
            lines.flush()
            for reply in ({"return": {}}, answer):
                lines.readline()
                lines.write('{"event": "STOP"}\n' + json.dumps(reply) + "\n")
                lines.flush()

    thread = threading.Thread(target=serve)
    thread.start()
    return thread


@pytest.mark.parametrize("answer", [{"return": {"running": True}}, {"error": {"class": "CommandNotFound"}}])
def test_qmp_passes_over_events_and_raises_errors(tmp_path, answer):
    machine = Machine(tmp_path / "base", folder=tmp_path, ports={22: 1})
    thread = answer_qmp(machine.spec.qmp_socket, answer)
    if "error" in answer:
        with pytest.raises(LabError, match=r"QMP query-status.*CommandNotFound"):
            machine.qmp("query-status")
    else:
        assert machine.qmp("query-status") == {"running": True}
    thread.join()


@pytest.mark.parametrize(("text", "on"), [("Y\n", True), ("1\n", True), ("N\n", False), ("0\n", False)])
def test_nested_is_what_the_module_says(tmp_path, text, on):
    (tmp_path / "nested").write_text(text)
    assert nested_is_on((tmp_path / "none", tmp_path / "nested")) is on


def test_kvm_is_left_alone_when_told(monkeypatch):
    monkeypatch.setenv("KRONOS_LAB_KVM", "no")
    kvm_works.cache_clear()
    assert kvm_works() is False
    kvm_works.cache_clear()


def test_cables_take_the_place_of_the_user_network(tmp_path):
    argv = qemu_argv(spec(cables=2))
    assert [net.split(",")[0] for net in option(argv, "-netdev")] == ["dgram", "dgram"]
    assert "hostfwd" not in " ".join(argv)
    first, second = [device for device in option(argv, "-device") if "mac=" in device]
    # The first one sits where the user network's NIC does, so that it keeps its name.
    assert "addr=0x3" in first
    assert first.partition("mac=")[2] != second.partition("mac=")[2]


def test_a_machine_behind_a_cable_is_reached_through_its_namespace(tmp_path):
    far = FarSide("kl-x", ("192.0.2.1/24",), ())
    machine = Machine(tmp_path / "b", folder=tmp_path, cables=1, far_side=far, address="2001:db8::2")
    argv = machine.ssh_argv("true")
    assert argv[:5] == ["ip", "netns", "exec", "kl-x", "ssh"]
    assert argv[-2:] == ["root@2001:db8::2", "true"]
    assert machine._scp_host() == "root@[2001:db8::2]"


def test_a_machine_with_a_neighbour_has_the_user_network_at_the_end_of_a_cable():
    neighbour = Neighbour("10.0.2.20", ((2201, 22),))
    argv = qemu_argv(spec(cables=1, neighbour=neighbour))
    user, uplink, *ports, cable = option(argv, "-netdev")
    assert user.endswith(
        "127.0.0.1:2200-:22,hostfwd=tcp:127.0.0.1:4430-:443,hostfwd=tcp:127.0.0.1:2201-10.0.2.20:22"
    )
    assert "local.path=/lab/m/uplink.qemu" in uplink
    assert [port.partition("netdev=")[2] for port in ports] == ["router", "uplink"]
    assert "local.path=/lab/m/cable0.qemu" in cable
    # The NIC is the one that the machine has without a neighbour, but for what it is plugged into.
    (nic,) = [device for device in option(argv, "-device") if "mac=" in device]
    (alone,) = [device for device in option(qemu_argv(spec()), "-device") if "mac=" in device]
    assert nic.replace("netdev=cable0", "netdev=net0") == alone


def test_a_neighbours_ports_are_forwarded_where_no_namespace_leads_to_it(tmp_path):
    second = Machine(tmp_path / "b", folder=tmp_path, cables=1, address="10.0.2.20", ports={22: 2201})
    machine = Machine(tmp_path / "b", folder=tmp_path, cables=1, neighbour=second, ports={22: 2200})
    assert machine.spec.neighbour == Neighbour("10.0.2.20", ((2201, 22),))
    assert second.ssh_argv()[-3:] == ["-p", "2201", "root@127.0.0.1"]
    machine.far_side = FarSide("kl-x", ("192.0.2.1/24",), ())
    assert machine.spec.neighbour is None
