"""What is reckoned from times, and what is shown of them; never how long something took."""

import json

import pytest

from kronos_packaging.bench import Row, Times, as_json, in_turn, table

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
