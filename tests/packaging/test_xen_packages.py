"""Our rebuild of the distro's Xen: what lintian and apt make of it beside the distro's own, and what is changed in it."""

import itertools
import re
import tarfile
import tomllib

import pytest
from clean_machine import PLACE, CleanMachine, install_base, package_paragraphs
from debian.changelog import Changelog
from debian.deb822 import Deb822
from debian.debfile import DebFile
from debian.debian_support import Version

from kronos_packaging.build_root import clean_root, ensure_root_tar
from kronos_packaging.change_source import our_version
from kronos_packaging.declarations import REPO, load_components
from kronos_packaging.distro_source import find_source
from kronos_packaging.repository.apt_suite import pool_folder
from xapi_shim.base.process import run
from xapi_shim.base.progress import Reporter

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(900)]

KNOWN = REPO / "packaging/patches/xen/lintian-known.toml"
PREFERENCES = "/etc/apt/preferences.d/kronos"
SYSTEM = "xen-system-amd64"
ALL_BINARIES = "*"


def xen_paragraphs(dist, target):
    """Return the published index's paragraphs of Xen's packages."""
    return [p for p in package_paragraphs(dist, target) if p.get("Source", p["Package"]).split()[0] == "xen"]


@pytest.fixture(scope="module")
def ours(target, dist):
    """Return name to version of the published packages."""
    return {p["Package"]: p["Version"] for p in xen_paragraphs(dist, target)}


@pytest.fixture(scope="module")
def their_source(target, dist):
    """Return the distro's source that ours are built from: after the build, so from its memory."""
    return find_source(target, "xen", Reporter())


@pytest.fixture(scope="module")
def theirs(their_source):
    """Return the text of a file of the distro's unchanged debian folder, by name."""
    (packed,) = (file for file in their_source.files if ".debian.tar." in file.name)
    with tarfile.open(their_source.path(packed)) as archive:
        return {
            name: archive.extractfile(f"debian/{name}").read().decode() for name in ("changelog", "control")
        }


@pytest.fixture(scope="module")
def bare(target, dist):
    """A machine of the release with nothing installed that knows the distro's archive and our repository."""
    with clean_root(ensure_root_tar(target, (), Reporter())) as root:
        machine = CleanMachine(root, target)
        machine.add_repository(dist, PLACE)
        machine.run("apt-get", "--quiet=2", "update", network=True)
        yield machine


def documented_pin():
    """Return the preferences that docs/host-setup.md tells administrators to write."""
    blocks = re.findall(r"```\n(Package: .*?)```", (REPO / "docs/host-setup.md").read_text(), re.DOTALL)
    (pin,) = blocks
    return pin


def simulate(machine, *words, check=True):
    """Return what apt-get would install, name to version, and what it would remove."""
    done = machine.run("apt-get", "--simulate", "--no-install-recommends", *words, check=check)
    installs = re.findall(r"^Inst (\S+) (?:\[\S+\] )?\((\S+) ", done.stdout, re.MULTILINE)
    return dict(installs), re.findall(r"^Remv (\S+)", done.stdout, re.MULTILINE)


def offered(machine, package):
    """Return the versions of a package that apt knows in any archive."""
    told = machine.run("apt-cache", "madison", package).stdout
    return {line.split("|")[1].strip() for line in told.splitlines()}


def is_below(one, other):
    return run(["dpkg", "--compare-versions", one, "lt", other], check=False).returncode == 0


def test_lintian_says_what_is_known(target, dist, ours):
    pool = pool_folder(dist / "apt", target)
    names = {re.escape(name) for name in (*ours, "xen")}
    files = [p for p in pool.iterdir() if re.fullmatch(rf"({'|'.join(names)})_.*\.(deb|dsc|tar\.xz)", p.name)]
    checked = [p for p in files if p.suffix in (".deb", ".dsc")]
    assert len(checked) == len(ours) + 1
    with clean_root(ensure_root_tar(target, ("lintian",), Reporter())) as root:
        for path in files:
            root.copy_in(path, f"/packages/{path.name}")
        argv = ["lintian", "--allow-root", "--no-cfg", "--fail-on=none", "--tag-display-limit=0"]
        told = root.run([*argv, *(f"/packages/{path.name}" for path in checked)]).stdout
    said = {": ".join(found) for found in re.findall(r"^(\w): ([^:]+): (\S+)", told, re.MULTILINE)}
    known = known_tags(target, ours)
    assert said - known.keys() == set(), "not known"
    assert known.keys() - said == set(), "no longer said: remove it"


def known_tags(target, binaries):
    """Return `LEVEL: package: tag` to why it is there, as KNOWN declares it for the target."""
    known = {}
    for entry in tomllib.loads(KNOWN.read_text())["said"]:
        level, tag = entry["tag"].split(": ")
        assert entry["by"] in ("distro", "us"), entry
        listed = entry.get(target.name, [])
        for package in binaries if listed == [ALL_BINARIES] else listed:
            known[f"{level}: {package}: {tag}"] = entry["why"]
    return known


def test_no_error_is_known_without_a_reason(target, ours):
    known = known_tags(target, ours)
    assert known
    assert [line for line, why in known.items() if line.startswith("E:") and not why.strip()] == []


def test_version_is_just_above_the_distros(bare, ours, their_source):
    (version,) = set(ours.values())
    assert is_below(their_source.version, version)
    published = offered(bare, SYSTEM)
    assert version in published
    # A point release takes the packages of the version before it away; passed over are those without a source.
    assert their_source.version in published or their_source.passed_over
    assert is_below(version, f"{their_source.version}+b1")
    above = {v for v in published if is_below(their_source.version, v)} - {version}
    assert above >= set(their_source.passed_over)
    assert [v for v in above if not is_below(version, v)] == []


def test_every_version_the_distro_ever_made_beats_a_rebuild_of_the_one_before(theirs):
    """The changelog has all that were published: security updates, backports, point releases."""
    made = sorted({str(block.version) for block in Changelog(theirs["changelog"])}, key=Version)
    assert len(made) > 100
    assert any("+deb" in version for version in made)
    for version, following in itertools.pairwise(made):
        rebuild = our_version(version, "1")
        assert is_below(version, rebuild), version
        assert is_below(rebuild, f"{version}+b1"), version
        assert is_below(rebuild, following), following


def test_apt_takes_the_newest_and_with_the_pin_ours(bare, ours):
    newest = max(offered(bare, SYSTEM), key=Version)
    without, _ = simulate(bare, "install", SYSTEM)
    assert without[SYSTEM] == newest
    bare.root.write(PREFERENCES, documented_pin())
    pinned, _ = simulate(bare, "install", SYSTEM)
    chosen = {name: version for name, version in pinned.items() if name in ours}
    assert chosen[SYSTEM] == ours[SYSTEM]
    assert {"xen-hypervisor-common", "xen-utils-common", "xenstore-utils"} <= chosen.keys()
    assert chosen == {name: ours[name] for name in chosen}


def test_the_distros_can_be_had_back(target, dist, ours):
    with clean_root(ensure_root_tar(target, install_base(dist, target), Reporter())) as root:
        machine = CleanMachine(root, target)
        machine.add_repository(dist, PLACE)
        machine.apt("update")
        shown = "--showformat=${db:Status-Status} ${Package} ${Version}\n"
        before = _xen_installed(machine, shown, ours)
        machine.apt("install", "--allow-downgrades", *(f"{name}={ours[name]}" for name in before))
        assert _xen_installed(machine, shown, ours) == {name: ours[name] for name in before}
        run(["rm", machine.path / "etc/apt/sources.list.d/kronos.sources"])
        machine.run("apt-get", "--quiet=2", "update", network=True)
        theirs = max(offered(machine, SYSTEM) - set(ours.values()), key=Version)
        back = [f"{name}={theirs}" for name in before]
        installs, removed = simulate(machine, "--allow-downgrades", "install", *back)
    assert {name: installs.get(name) for name in before} == dict.fromkeys(before, theirs)
    assert removed == []


def _xen_installed(machine, shown, ours):
    words = [line.split() for line in machine.run("dpkg-query", "--show", shown).stdout.splitlines()]
    found = {name: version for status, name, version in words if status == "installed" and name in ours}
    assert SYSTEM in found
    return found


def test_the_hypervisor_is_configured_with_shadow_paging(target, dist, ours):
    (name,) = (name for name in ours if re.fullmatch(r"xen-hypervisor-[\d.]+-amd64", name))
    (deb,) = pool_folder(dist / "apt", target).glob(f"{name}_*.deb")
    data = DebFile(deb).data
    (place,) = (path for path in data if re.fullmatch(r"\.?/?boot/xen-[^/]+\.config", str(path)))
    assert b"CONFIG_SHADOW_PAGING=y" in data.get_content(place).splitlines()


def test_the_published_source_holds_our_configuration(target, dist):
    """Upstream's default is "on" in some versions: the built configuration alone does not tell whose doing it is."""
    (packed,) = pool_folder(dist / "apt", target).glob("xen_*.debian.tar.xz")
    (recipe,) = (component.deb for component in load_components() if component.name == "xen")
    with tarfile.open(packed) as archive:
        built_with = archive.extractfile(recipe.fragment_place).read()
    assert built_with.endswith((REPO / recipe.fragment).read_bytes())


def test_packages_are_named_as_the_distro_names_them(target, ours, theirs):
    _, *binaries = Deb822.iter_paragraphs(theirs["control"], use_apt_pkg=False)
    here = {target.architecture, "any", "linux-any", "all"}
    assert set(ours) == {p["Package"] for p in binaries if here & set(p["Architecture"].split())}
