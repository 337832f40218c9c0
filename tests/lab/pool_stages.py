"""The stage "second host joins": what an operator of two hosts does and sees, from `xe pool-join` to one host again."""

import shlex

import road_stages as stages

from kronos_lab.machine import wait_until
from kronos_lab.set_up import wait_until_settled

# A daemon's restart takes half a minute in the emulation, and a pool is whole only after both.
POOL_S = 600.0
PASSWORD = "/root/master-password"
# How an operator reads on the master what its certificate's fingerprint is (docs/host-setup.md, "Pools").
FINGERPRINT = "openssl x509 -noout -fingerprint -sha256 -in /etc/xensource/xapi-ssl.pem"
GUEST = "g-second"
# Says how a login ends: the failure's words, or that there is a session. The password comes by stdin.
LOGIN = """\
import ssl, sys, xmlrpc.client
url, password = sys.argv[1], sys.stdin.readline().strip()
server = xmlrpc.client.ServerProxy(url, context=ssl._create_unverified_context())
answer = server.session.login_with_password("root", password, "1.0", "kronos-lab")
print(*answer.get("ErrorDescription", ["a session"]))
"""


class Pool:
    """The row's machine, which is the master at `address`, and the second host, set up and booted by now."""

    def __init__(self, road, address):
        self.road, self.address = road, address
        self.there = stages.Road(road.machine.neighbour, password=road.password)
        self.uuid = host_uuid(road)
        self.second_uuid = host_uuid(self.there)
        assert self.uuid != self.second_uuid

    def both(self):
        return sorted((self.uuid, self.second_uuid))

    def login(self, machine, address):
        """How a login at a host's port 443 ends that somebody at `machine` tries."""
        host = f"[{address}]" if ":" in address else address
        machine.succeed("cat > /root/login.py", stdin=LOGIN)
        return machine.succeed(
            f"python3 /root/login.py https://{host}/", stdin=f"{self.road.password}\n"
        ).strip()


def host_uuid(road):
    return road.machine.succeed(". /etc/xensource-inventory && echo $INSTALLATION_UUID").strip()


def alive(road):
    """The UUIDs of the hosts that the pool of `road`'s host has alive and enabled; none while its daemon restarts."""
    done = road.machine.execute("xe host-list enabled=true host-metrics-live=true --minimal")
    return sorted(done.stdout.strip().split(",")) if done.returncode == 0 else []


def wait_for_hosts(road, expected):
    wait_until(
        f"{road.machine.name} has the hosts {expected}", lambda: alive(road) == sorted(expected), POOL_S
    )


def a_second_host(road, address, join):
    """The whole stage. `join` makes the second host, which is on, a member of the pool whose master is at `address`."""
    machine, second = road.machine, road.machine.neighbour
    # As an operator who logs in at either host; the file is for nobody else's eyes.
    second.succeed("chpasswd", stdin=f"root:{road.password}\n")
    second.succeed(f"umask 077; cat > {PASSWORD}", stdin=road.password)
    machine.succeed("xapi-wait-init-complete 300")
    with road.stage("joining"):
        pool = join(road, address)
        wait_for_hosts(road, pool.both())
        is_member(pool)
    with road.stage("a guest on the second host"):
        guest = start_there(pool)
        stages.hello(pool.there, guest, GUEST)
    with road.stage("the master's daemon restarts"):
        machine.succeed("systemctl restart xapi.service && xapi-wait-init-complete 300")
        wait_for_hosts(road, pool.both())
        wait_for_hosts(pool.there, pool.both())
        assert road.xe(f"vm-param-get uuid={guest} param-name=power-state") == "running"
        shut_down_there(pool, guest)
    with road.stage("leaving"):
        second.succeed("xapi-host-setup leave-pool --yes")
        has_left(pool)


def join_with_xe(road, address):
    """A host that is set up, and its own pool's master, joins as its operator tells it by xe."""
    second = road.machine.neighbour
    second.succeed("xapi-wait-init-complete 300")
    pool = Pool(road, address)
    second.succeed(
        f'xe pool-join master-address={address} master-username=root master-password="$(cat {PASSWORD})"'
    )
    return pool


def join_with_set_up(setup):
    """The way of a host that is not set up: it joins as a part of its set-up, with these flags."""

    def join(road, address):
        second = road.machine.neighbour
        printed = shlex.quote(road.machine.succeed(FINGERPRINT).strip())
        second.succeed(
            f"xapi-host-setup apply --yes --join {address} --join-fingerprint {printed} --password-file {PASSWORD} {setup}"
        )
        second.reboot()
        wait_until_settled(second)
        return Pool(road, address)

    return join


def host_list(road):
    """What `xe host-list` prints at a host, its lines in any order; nothing while the daemon restarts."""
    done = road.machine.execute("xe host-list params=uuid,name-label,address,enabled")
    return sorted(done.stdout.splitlines())


def is_member(pool):
    """Both hosts tell the same; the second one is no master any more."""
    second = pool.there.machine
    wait_until(
        "the second host tells what the master tells",
        lambda: host_list(pool.there) == host_list(pool.road) != [],
        POOL_S,
    )
    assert pool.road.xe("pool-list params=master --minimal") == pool.uuid
    assert pool.login(pool.road.machine, second.address) == f"HOST_IS_SLAVE {pool.address}"
    assert second.succeed("cat /etc/xensource/pool.conf").strip() == f"slave:{pool.address}"


def start_there(pool):
    """Make a guest on the master, with a disk of the second host's own storage, and start it there."""
    road = pool.road
    (sr,) = set(road.xe(f"pbd-list host-uuid={pool.second_uuid} params=sr-uuid --minimal").split(",")) & set(
        road.xe("sr-list content-type=user shared=false --minimal").split(",")
    )
    guest = stages.create_guest(road, GUEST, "pv", "10.0.2.61", sr)
    road.xe(f"vm-start uuid={guest} on={pool.second_uuid}")
    assert road.xe(f"vm-param-get uuid={guest} param-name=resident-on") == pool.second_uuid
    assert guest in pool.there.machine.succeed("xl list")
    return guest


def shut_down_there(pool, guest):
    road = pool.road
    road.xe(f"vm-shutdown uuid={guest} force=true")
    assert guest not in pool.there.machine.succeed("xl list")
    road.xe(f"vm-uninstall uuid={guest} force=true")


def has_left(pool):
    """Two pools of one host each."""
    wait_for_hosts(pool.road, [pool.uuid])
    wait_until("the second host is alone", lambda: len(alive(pool.there)) == 1, POOL_S)
    assert pool.there.xe("pool-list params=master --minimal") == alive(pool.there)[0] != pool.uuid
    assert pool.there.xe("pool-list --minimal") != pool.road.xe("pool-list --minimal")
    assert pool.login(pool.road.machine, pool.there.machine.address) == "a session"
