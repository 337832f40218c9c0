"""debian/tests, run by autopkgtest(1) on a clean machine that has our packages from the repository."""

import pytest
from clean_machine import clean_machine

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(900)]


@pytest.fixture
def testbed(target, dist, built):
    with clean_machine(target, dist, "autopkgtest", "dpkg-dev") as machine:
        for path in (*built.glob("*.dsc"), *built.glob("*.tar.xz")):
            machine.root.copy_in(path, f"/srv/source/{path.name}")
        yield machine


def test_the_packages_own_tests(testbed, built):
    testbed.apt("update")
    # Here it is autopkgtest that runs apt, which has no way to the distro's own archive.
    sources = "/etc/apt/sources.list.d/kronos.sources"
    testbed.root.write(
        "/etc/apt/apt.conf.d/99only", f'Dir::Etc::SourceList "{sources}";\nDir::Etc::SourceParts "-";\n'
    )
    (dsc,) = built.glob("*.dsc")
    argv = ["autopkgtest", "--no-built-binaries", "--summary-file=/srv/summary", f"/srv/source/{dsc.name}"]
    # The clean root is as good as a container, which Debian 13's null testbed cannot know.
    done = testbed.run(*argv, "--ignore-restrictions=isolation-container", "--", "null", check=False)
    summary = dict(line.split(None, 1) for line in testbed.run("cat", "/srv/summary").stdout.splitlines())
    assert summary.get("smoke", "").startswith("PASS"), done
    # This machine cannot boot anything: tests/lab runs it on one that can.
    assert summary["lab"].startswith("SKIP"), done
