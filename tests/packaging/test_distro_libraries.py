"""The daemon with the libraries that it runs on: those of each release, not the newest ones of the project's own tests.

The conformance tests run inside a clean root, on its Python and its packages.
"""

import re
import shutil
from pathlib import Path

import pytest
import XenAPI
from clean_machine import REPO, TARGETS
from debian.deb822 import Deb822

from kronos_packaging import factory
from kronos_packaging.build_root import clean_root, ensure_root_tar
from xapi_shim.base.progress import Reporter
from xapi_shim.base.system_packages import ensure_packages

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(3600)]

RUN_THEM = ("bash-completion", "iproute2", "openssl", "procps", "python3-hypothesis", "python3-packaging", "python3-pexpect", "python3-pytest",
            "python3-pytest-asyncio", "python3-pytest-timeout", "python3-requests", "python3-rich", "qemu-utils")  # fmt: skip
TREE = "/srv/tree"
# A root has a network namespace of its own, in which nothing is up.
WITH_LOOPBACK = ("sh", "-c", 'ip link set lo up && exec "$@"', "sh")
# They take long, read docs/, bring other people's clients, or change /etc in a mount of their own.
LEFT_OUT = (
    "test_conformance_fuzz.py",
    "test_conformance_coverage.py",
    "test_client_*",
    "test_conformance_external_auth.py",
)


def libraries():
    """Return the Python packages that debian/control names for what runs on a host."""
    paragraphs = Deb822.iter_paragraphs((REPO / "debian/control").read_text())
    depends = " ".join(str(paragraph.get("Depends", "")) for paragraph in paragraphs)
    return sorted(set(re.findall(r"python3-[a-z0-9-]+", depends)))


# The oldest libraries are what the daemon gets on worst with; the others take as long.
RELEASES = [TARGETS[0], *(pytest.param(name, marks=pytest.mark.long) for name in TARGETS[1:])]


@pytest.mark.parametrize("target", RELEASES, indirect=True)
def test_the_conformance_tests_pass(target):
    ensure_packages(factory.SYSTEM_PACKAGES, reporter=Reporter())
    assert "python3-aiohttp" in libraries()
    with clean_root(ensure_root_tar(target, sorted({*RUN_THEM, *libraries()}), Reporter())) as root:
        tree = root.path / TREE.lstrip("/")
        ignore = shutil.ignore_patterns("__pycache__", "clients", *LEFT_OUT)
        for room in ("xapi_shim", "ci", "installer", "packaging", "tests/conformance"):
            shutil.copytree(REPO / room, tree / room, ignore=ignore)
        shutil.copytree(Path(XenAPI.__file__).parent, tree / "XenAPI", ignore=ignore)
        root.write("/etc/hosts", "127.0.0.1 localhost\n")
        # Not with pyproject.toml's options: some are of newer plugins.
        words = ["--quiet", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir", TREE,
                 "-o", "asyncio_mode=auto", "-o", "timeout=120"]  # fmt: skip
        roots = ":".join((TREE, *(f"{TREE}/{room}" for room in ("ci", "installer", "packaging"))))
        done = root.run([*WITH_LOOPBACK, "python3", "-m", "pytest", *words, f"{TREE}/tests/conformance"], cwd=TREE,
                        env={"PYTHONPATH": roots}, check=False, timeout_s=3000)  # fmt: skip
    assert done.returncode == 0, done.stdout[-10_000:]
