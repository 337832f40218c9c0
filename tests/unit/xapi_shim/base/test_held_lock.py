"""A lock between processes: one at a time, on a file or a folder; a holder that is killed holds nothing."""

import fcntl
import multiprocessing
import os
import signal

import pytest

from xapi_shim.base.held_lock import held_lock


def is_held(path):
    fd = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


@pytest.mark.parametrize("name", ["", "new", "there"])
def test_it_is_held_within_and_free_after(tmp_path, name):
    (tmp_path / "there").write_text("theirs")
    make = name == "new"
    with held_lock(tmp_path / name, make=make):
        assert is_held(tmp_path / name)
    assert not is_held(tmp_path / name)
    with pytest.raises(ZeroDivisionError), held_lock(tmp_path / name, make=make):
        raise ZeroDivisionError
    assert not is_held(tmp_path / name)
    assert (tmp_path / "there").read_text() == "theirs"


def hold(path, ready):
    with held_lock(path):
        ready.send("held")
        signal.pause()


def test_a_killed_holder_holds_nothing(tmp_path):
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    other = context.Process(target=hold, args=(tmp_path, theirs))
    other.start()
    assert ours.recv() == "held"
    assert is_held(tmp_path)
    other.kill()
    other.join()
    assert not is_held(tmp_path)


def test_a_place_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), held_lock(tmp_path / "no/lock", make=True):
        pass
    with pytest.raises(FileNotFoundError), held_lock(tmp_path / "no"):
        pass
    assert list(tmp_path.iterdir()) == []
