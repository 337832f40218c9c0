"""./inv build interrupted, doubled, and without room: what is published stays, and the next run goes on."""

import os
import signal

import pytest
from tiny_checkout import TinyCheckout

from kronos_lab.machine import wait_until
from xapi_shim.base.process import ProcessError, run
from xapi_shim.base.progress import Reporter
from xapi_shim.base.system_packages import ensure_packages

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(900)]

# A build that is long enough to be met in its middle, and ends by itself.
LONG = "echo in the middle; sleep 8"
BIG = "head -c 6000000 /dev/urandom"


@pytest.fixture
def checkout(tmp_path):
    return TinyCheckout(tmp_path)


@pytest.fixture
def small_disk(request):
    """A function that puts a file system of a few MB at a folder; its room can be changed."""
    ensure_packages(["mount"], reporter=Reporter())
    mounted = []

    def mount(place, megabytes):
        place.mkdir(parents=True, exist_ok=True)
        again = ["remount,"] if place in mounted else [""]
        run(["mount", "-t", "tmpfs", "-o", f"{again[0]}size={megabytes}m", "tmpfs", place])
        mounted.append(place)

    yield mount
    for place in set(mounted):
        run(["umount", place])


def interrupted(checkout, log_path, how):
    """Start a build, meet it in its middle, do `how`, and return its exit status."""
    with log_path.open("w") as log:
        building = checkout.start(log)
        try:

            def in_the_middle():
                assert building.poll() is None, log_path.read_text()
                return checkout.log_says("\nin the middle")

            wait_until("the build is in its middle", in_the_middle, 300)
            how(building)
            return building.wait(60)
        finally:
            if building.poll() is None:
                os.killpg(building.pid, signal.SIGKILL)


@pytest.mark.parametrize(
    ("how", "status"),
    [
        pytest.param(lambda build: os.kill(build.pid, signal.SIGKILL), -signal.SIGKILL, id="kill -9"),
        pytest.param(lambda build: os.killpg(build.pid, signal.SIGINT), 1, id="ctrl-C"),
        pytest.param(lambda build: os.kill(build.pid, signal.SIGTERM), -signal.SIGTERM, id="kill"),
    ],
)
def test_an_interrupted_build_changes_nothing_and_the_next_goes_on(checkout, tmp_path, how, status):
    checkout.build()
    before = checkout.published()
    checkout.write(version="2", step=LONG)
    assert interrupted(checkout, tmp_path / "log", how) == status, (tmp_path / "log").read_text()
    assert "Traceback" not in (tmp_path / "log").read_text()
    assert checkout.published() == before
    wait_until("all of the build has ended", lambda: checkout.at_work() == [], 60)
    checkout.build()
    assert checkout.versions() == ["1+deb12", "2+deb12"]
    assert list((checkout.cache / "work").iterdir()) == []
    assert [path for path in (checkout.cache / "packages").glob("*/*.part")] == []
    assert "nothing to do" in checkout.build().stderr


def test_of_two_builds_the_second_waits_and_has_nothing_to_do(checkout, tmp_path):
    checkout.write(step=LONG)
    with (tmp_path / "one").open("w") as one, (tmp_path / "two").open("w") as two:
        first = checkout.start(one)
        wait_until("the first is in its middle", lambda: checkout.log_says("\nin the middle"), 300)
        second = checkout.start(two)
        assert (first.wait(300), second.wait(300)) == (0, 0), (tmp_path / "two").read_text()
    waited = (tmp_path / "two").read_text().splitlines()
    assert waited[0].startswith("waiting for another build")
    assert waited[-1] == "nothing to do: the repository is up to date"
    assert checkout.versions() == ["1+deb12"]


@pytest.mark.parametrize("place", ["cache/packages", "tree/dist"])
def test_a_full_disk_is_named_and_leaves_what_was_there(checkout, small_disk, tmp_path, place):
    small_disk(tmp_path / place, 2)
    checkout.build()
    before = checkout.published()
    checkout.write(version="2", make=BIG)
    failed = checkout.build(check=False)
    assert failed.returncode == 1
    assert "No space left on device" in failed.stderr.splitlines()[-1]
    assert "Traceback" not in failed.stderr
    assert checkout.published() == before
    small_disk(tmp_path / place, 60)
    checkout.build()
    assert checkout.versions() == ["1+deb12", "2+deb12"]


@pytest.mark.parametrize(
    ("file", "text", "status", "words"),
    [
        ("packaging/components/tiny.toml", "name = [", 2, "tiny.toml: "),
        ("packaging/components/tiny.toml", 'name = "tiny"\ncolour = "red"', 2, "tiny.toml: unknown keys: colour"),
        ("packaging/targets/debian-12.toml", 'format = "deb"\nsuit = "x"', 2, "debian-12.toml: unknown keys: suit"),
    ],
)  # fmt: skip
def test_a_bad_declaration_is_named_and_nothing_begins(checkout, file, text, status, words):
    (checkout.path / file).write_text(text)
    failed = checkout.build(check=False)
    assert (failed.returncode, failed.stdout) == (status, "")
    assert words in failed.stderr.splitlines()[-1]
    assert "Traceback" not in failed.stderr
    assert not checkout.dist.exists()


def test_a_build_that_fails_publishes_nothing_and_shows_its_log(checkout):
    checkout.build()
    before = checkout.published()
    checkout.write(version="2", step="echo alas; false")
    with pytest.raises(ProcessError, match="exit status 1") as failed:
        checkout.build()
    assert "alas" in failed.value.stderr.splitlines()[-3:][0] + failed.value.stderr
    assert checkout.published() == before
