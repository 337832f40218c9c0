"""A host is its pool's master or a member, whatever write the power failed at."""

import pytest

from xapi_shim.api import pool_role, pool_secret
from xapi_shim.api.pool_role import (
    become_master,
    become_member,
    finish_leaving,
    master_address,
    read_fingerprints,
    read_master_to_join,
)
from xapi_shim.base.paths import Paths


class PowerCut(Exception):
    pass


@pytest.fixture
def paths(tmp_path):
    paths = Paths(tmp_path)
    paths.state.mkdir(parents=True)
    paths.pool_conf.parent.mkdir(parents=True)
    paths.pool_conf.write_text("master")
    paths.pool_secret.write_text("own")
    paths.database.write_bytes(b"rows")
    return paths


@pytest.fixture
def cut(monkeypatch):
    """Have the power fail at the n-th write."""

    def at(number):
        left = [number]

        def counted(real):
            def write(*args, **kwargs):
                if not left[0]:
                    raise PowerCut
                left[0] -= 1
                real(*args, **kwargs)

            return write

        monkeypatch.undo()
        for module in (pool_role, pool_secret):
            monkeypatch.setattr(module, "write_atomic", counted(module.write_atomic))

    return at


def member(paths):
    become_member(paths, "192.0.2.1", "the pool's", {"AA:BB"})


@pytest.mark.parametrize("number", range(3))
def test_a_host_that_was_cut_off_joining_is_the_master_it_was(paths, cut, number):
    cut(number)
    with pytest.raises(PowerCut):
        member(paths)
    assert master_address(paths.pool_conf) == ""
    assert paths.database.read_bytes() == b"rows"
    cut(99)
    member(paths)
    assert master_address(paths.pool_conf) == "192.0.2.1"


def test_a_member_knows_its_master_and_the_secret(paths):
    member(paths)
    assert paths.pool_secret.read_text() == "the pool's"
    assert paths.pool_secret.stat().st_mode & 0o777 == 0o600
    assert read_fingerprints(paths) == {"AA:BB"}


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("192.0.2.1\nAA:BB\nCC:DD\n", {"AA:BB", "CC:DD"}),
        ("192.0.2.1\n", set()),
        # Of a join that failed: another pool's master is no concern of it.
        ("192.0.2.2\nAA:BB\n", None),
        # Nobody can say whom these are for: nobody is trusted.
        ("AA:BB\n", set()),
        ("", set()),
    ],
)
def test_which_master_is_known_before_the_join(paths, text, known):
    assert read_master_to_join(paths, "192.0.2.1") is None
    paths.master_to_join.write_text(text)
    assert read_master_to_join(paths, "192.0.2.1") == known


def test_a_member_has_no_master_to_join_any_more(paths):
    paths.master_to_join.write_text("192.0.2.1\nAA:BB\n")
    member(paths)
    assert not paths.master_to_join.exists()


@pytest.mark.parametrize(("number", "finish"), [(0, become_master), (1, finish_leaving)])
def test_a_host_that_was_cut_off_leaving_goes_on_where_it_was(paths, cut, number, finish):
    """A member can ask its master, with the pool's secret, whether it is known; a master need ask nobody."""
    member(paths)
    paths.leaving_pool.touch()
    cut(number)
    with pytest.raises(PowerCut):
        become_master(paths)
    assert paths.leaving_pool.exists()
    if master_address(paths.pool_conf):
        assert paths.pool_secret.read_text() == "the pool's"
    cut(99)
    finish(paths)
    assert master_address(paths.pool_conf) == ""
    assert paths.pool_secret.read_text() != "the pool's"
    left = {paths.database, paths.pool_master, paths.leaving_pool}
    assert not [path for path in left if path.exists()]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("master", ""),
        ("slave:192.0.2.1", "192.0.2.1"),
        ("slave:2001:db8::1\n", "2001:db8::1"),
        ("broken", ""),
        ("", ""),
    ],
)
def test_who_the_master_is(paths, text, address):
    paths.pool_conf.write_text(text)
    assert master_address(paths.pool_conf) == address
