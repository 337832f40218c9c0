"""The yum repositories as real dnf and rpm see them."""

import pytest
from tiny_packages import TinyDist, make_rpm, rpm_target

from kronos_packaging.repository.model import Policy
from kronos_packaging.repository.rotate_key import finish, start
from kronos_packaging.repository.serve import serving
from kronos_packaging.repository.signer import Signer
from kronos_packaging.repository.verify import verify_tree
from xapi_shim.base.process import run
from xapi_shim.base.progress import Reporter
from xapi_shim.base.system_packages import ensure_packages

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(600)]


@pytest.fixture(scope="module", autouse=True)
def tools():
    ensure_packages(("rpm", "createrepo-c", "dnf"), reporter=Reporter())


@pytest.fixture
def served(tmp_path, monkeypatch):
    monkeypatch.setenv("KRONOS_CACHE", str(tmp_path / "cache"))
    tiny = TinyDist(tmp_path)
    tiny.dist.mkdir()
    with tiny.signer, serving(tiny.dist) as port:
        tiny.base_url = f"http://127.0.0.1:{port}"
        yield tiny


class Dnf:
    """dnf with a root, cache and keys of its own, and our repository file as its only one."""

    def __init__(self, folder, tiny, release="44"):
        self.root = folder / "root"
        repos = folder / "repos"
        repos.mkdir(parents=True)
        (repos / "kronos.repo").write_bytes((tiny.dist / "kronos.repo").read_bytes())
        self.options = [
            f"--installroot={self.root}", f"--releasever={release}", "--forcearch=x86_64", "--assumeyes",
            f"--setopt=reposdir={repos}", f"--setopt=cachedir={folder / 'cache'}",
            f"--setopt=persistdir={folder / 'state'}", f"--setopt=logdir={folder}", "--setopt=retries=1",
            # Metadata of the same second counts as fresh for dnf, even with metadata_expire=0.
            "--refresh",
        ]  # fmt: skip

    def __call__(self, *words, check=True):
        return run(["dnf", *self.options, *words], check=check, timeout_s=240)

    def installed(self, name):
        done = run(["rpm", "--root", self.root, "--query", "--queryformat=%{VERSION}", name], check=False)
        return done.stdout if done.returncode == 0 else ""


@pytest.fixture
def dnf(tmp_path):
    return lambda tiny, name="client": Dnf(tmp_path / name, tiny)


def test_dnf_installs_and_upgrades_signed_packages(served, dnf):
    make_rpm(served.built, "alpha", "1.0")
    (served.built / "alpha-1.0-1.noarch.cdx.json").write_text("{}\n")
    served.publish(rpm_target())
    assert verify_tree(served.dist)[0] == []
    repository = (served.dist / "kronos.repo").read_text()
    assert "gpgcheck=1\nrepo_gpgcheck=1\n" in repository
    client = dnf(served)
    client("install", "alpha")
    assert client.installed("alpha") == "1.0"
    # 1.10 is newer than 1.9 for rpm, not for a sort of text.
    for version in ("1.9", "1.10"):
        make_rpm(served.built, "alpha", version)
    served.publish(rpm_target())
    client("upgrade")
    assert client.installed("alpha") == "1.10"
    source = served.dist / "yum/fedora/44/source/Packages/alpha-1.10-1.src.rpm"
    assert source.is_file()
    told = client("--enablerepo=kronos-source", "repoquery", "--srpm", "alpha").stdout
    assert "alpha-0:1.10-1.src" in told
    assert (source.parents[2] / "x86_64/Packages/alpha-1.0-1.noarch.cdx.json").read_text() == "{}\n"


def test_what_was_built_stays_unsigned_and_signing_is_not_done_twice(served):
    built = make_rpm(served.built, "alpha", "1.0")
    before = built.read_bytes()
    served.publish(rpm_target())
    published = served.dist / "yum/fedora/44/x86_64/Packages" / built.name
    signed = published.read_bytes()
    assert built.read_bytes() == before != signed
    for path in (served.folder / "cache/repositories").iterdir():
        path.unlink()
    again = served.publish(rpm_target())
    assert [outcome.changed for outcome in again] == [False, False]
    assert published.read_bytes() == signed
    # Handed in signed: kept as it is.
    other = served.folder / "other"
    other.mkdir()
    (other / built.name).write_bytes(signed)
    assert [outcome.changed for outcome in served.publish(rpm_target(), folder=other)] == [False, False]


def test_versions_are_kept_in_rpms_order(served):
    for version in ("1.2", "1.10", "1.9", "1.10~rc1"):
        make_rpm(served.built, "alpha", version)
    served.publish(rpm_target(), policy=Policy(keep_versions=2))
    kept = sorted(path.name for path in (served.dist / "yum/fedora/44/x86_64/Packages").iterdir())
    assert kept == ["alpha-1.10-1.noarch.rpm", "alpha-1.10~rc1-1.noarch.rpm"]


@pytest.mark.parametrize("what", ["repomd.xml", "repomd.xml.asc", "primary", "rpm"])
def test_dnf_refuses_a_flipped_byte(served, dnf, what):
    make_rpm(served.built, "alpha", "1.0")
    served.publish(rpm_target())
    place = served.dist / "yum/fedora/44/x86_64"
    (path,) = place.glob(f"Packages/*.{what}" if what == "rpm" else f"repodata/*{what}*" if what == "primary" else f"repodata/{what}")  # fmt: skip
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert [problem.path.rpartition("/")[2] for problem in verify_tree(served.dist)[0]] == [
        path.name.removesuffix(".asc")
    ]
    client = dnf(served)
    assert client("install", "alpha", check=False).returncode != 0
    assert client.installed("alpha") == ""


def test_dnf_goes_through_a_rotation_of_keys(served, dnf):
    make_rpm(served.built, "alpha", "1.0")
    served.publish(rpm_target())
    old = dnf(served, "old")
    old("install", "alpha")
    start(served.signer, served.dist, Policy(), Reporter())
    make_rpm(served.built, "alpha", "1.1")
    served.publish(rpm_target())
    assert verify_tree(served.dist)[0] == []
    old("upgrade")
    assert old.installed("alpha") == "1.1"
    done = finish(served.signer, served.dist, Policy(), Reporter())
    assert verify_tree(served.dist)[0] == []
    make_rpm(served.built, "alpha", "1.2")
    served.publish(rpm_target())
    new = dnf(served, "new")
    new("install", "alpha-1.0")
    assert new.installed("alpha") == "1.0"
    told = run(
        ["rpm", "--root", new.root, "--query", "gpg-pubkey", "--queryformat=%{VERSION}\n"]
    ).stdout.split()
    assert told == [done.keys[0][-8:].lower()]
    # A host of before takes the new key from the address in its repository file.
    old("upgrade")
    assert old.installed("alpha") == "1.2"


def test_packages_of_somebody_else_are_refused_and_found(served, tmp_path):
    make_rpm(served.built, "alpha", "1.0")
    served.publish(rpm_target())
    theirs = make_rpm(tmp_path / "theirs", "beta", "1.0")
    with Signer(tmp_path / "their-keys") as other:
        other.ensure_key(Reporter())
        from kronos_packaging.repository.read_rpm import sign_packages

        sign_packages([theirs], other)
    before = served.content()
    from kronos_packaging.repository.errors import SignatureError

    with pytest.raises(SignatureError, match="which is not ours"):
        served.publish(rpm_target(), folder=tmp_path / "theirs")
    assert served.content() == before
    stray = served.dist / "yum/fedora/44/x86_64/Packages" / theirs.name
    stray.write_bytes(theirs.read_bytes())
    (problem,) = verify_tree(served.dist)[0]
    assert problem.path.endswith(theirs.name)
    assert problem.what == "is surplus: nothing that is signed names it"
