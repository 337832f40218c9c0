"""What is reckoned from times, and what is shown of them; never how long something took."""

import json

import pytest

from kronos_packaging.bench import Row, Times, as_json, in_turn, table
from kronos_packaging.bench_build import wish_for
from kronos_packaging.bench_packages import FILES, content_of, make_debs, names_of
from kronos_packaging.bench_repository import MIB, Contestant, Cost, contestants_of, rows_of
from kronos_packaging.declarations import Format
from kronos_packaging.repository.model import sha256_of
from kronos_packaging.repository.read_deb import read_deb
from xapi_shim.base.errors import KronosError

NOISE = [Times((0.2, 0.2)), Times((0.2, 0.4))]


def test_median_and_spread():
    times = Times((3.0, 1.0, 2.0))
    assert (times.median, times.spread) == (2.0, 1.0)
    assert str(times) == "1 / 2 s, ±50%"


def test_ratio_is_of_medians_and_of_both_only():
    assert Row("x", Times((2.0, 4.0, 9.0)), "make", Times((1.0, 2.0, 3.0))).ratio == 2.0
    assert Row("x", Times((2.0,))).ratio is None
    assert Row("x", None, "rpmbuild", note="not here").ratio is None


def test_ours_and_the_peer_take_turns():
    done = []
    ours, theirs = in_turn(3, lambda: done.append("ours"), lambda: done.append("theirs"))
    assert done == ["ours", "theirs"] * 3
    assert len(ours.seconds) == len(theirs.seconds) == 3


def test_what_fails_is_not_timed():
    with pytest.raises(ZeroDivisionError):
        in_turn(1, lambda: 1 / 0, lambda: None)


def test_table_names_the_peer_and_the_noise():
    shown = table([Row("cold", Times((2.0,)), "make", Times((1.0,)), "< 1 s", "a note")], NOISE)
    for word in ("cold", "make", "2.00", "< 1 s", "a note", "noise: the same work took 0.2 / 0.2 s, ±50%"):
        assert word in shown


def test_json_has_every_time():
    told = json.loads(as_json([Row("x", None, "rpmbuild", note="not here")], NOISE))
    assert told["rows"] == [
        {"what": "x", "ours": None, "peer": "rpmbuild", "theirs": None, "wanted": "", "note": "not here", "ratio": None}
    ]  # fmt: skip
    assert told["noise"] == [{"seconds": [0.2, 0.2]}, {"seconds": [0.2, 0.4]}]


def contestant(name, lacks=""):
    return Contestant(name, lambda *_: [], lambda *_: [], lacks=lacks)


def test_a_repository_row_has_the_highest_peak_of_both_and_what_the_peer_lacks():
    costs = {"kronos": [Cost(2.0, 30 * MIB), Cost(4.0, 40 * MIB)], "aptly": [Cost(1.0, 9 * MIB), Cost(1.0, 8 * MIB)]}  # fmt: skip
    (row,) = rows_of("10 debs, anew", [contestant("kronos"), contestant("aptly", "no x")], costs)
    assert (row.what, row.peer, row.ratio) == ("10 debs, anew", "aptly", 3.0)
    assert (row.our_peak_bytes, row.peer_peak_bytes) == (40 * MIB, 9 * MIB)
    assert row.note == "peak 40 MiB, peer's 9; no x"
    assert json.loads(as_json([row], NOISE))["rows"][0]["peer_peak_bytes"] == 9 * MIB


@pytest.mark.parametrize("kind", [Format.DEB, Format.RPM])
def test_ours_is_compared_with_somebody_for_each_kind(kind):
    names = [one.name for one in contestants_of(kind)]
    assert names[0] == "kronos"
    assert len(set(names)) == len(names) > 2


def test_sizes_of_repositories_are_numbers_between_commas():
    assert wish_for("debian-12", 1, xen=False, packages="10,1000").packages == (10, 1000)
    assert wish_for("debian-12", 1, xen=False, packages="").packages == ()


@pytest.mark.parametrize("packages", ["ten", "10,", "0", "-1", "10 20", ",", "1e3"])
def test_other_sizes_are_refused(packages):
    with pytest.raises(KronosError, match="10,1000"):
        wish_for("debian-12", 1, xen=False, packages=packages)


def test_made_debs_are_read_whole_and_differ(tmp_path):
    one, other = make_debs(tmp_path, names_of(2))
    read = [read_deb(path, f"pool/{path.name}", sha256_of(path)) for path in (one, other)]
    assert [package.name for package in read] == ["bench-00000", "bench-00001"]
    assert read[0].listing.count("\n") == FILES
    assert set(content_of("bench-00000").values()).isdisjoint(content_of("bench-00001").values())
