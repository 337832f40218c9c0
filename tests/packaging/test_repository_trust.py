"""What the keys vouch for: every published byte, apt through a rotation of keys, and strangers' packages."""

import re
import shutil

import pytest
from tiny_packages import TinyDist, deb_target, make_deb, make_rpm, make_source, rpm_target

from kronos_packaging.repository import incoming
from kronos_packaging.repository.model import Policy
from kronos_packaging.repository.rotate_key import finish, start
from kronos_packaging.repository.serve import serving
from kronos_packaging.repository.signer import Signer
from kronos_packaging.repository.verify import verify_tree
from xapi_shim.base.process import run
from xapi_shim.base.progress import Reporter

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(300)]

SUITE = "apt/dists/bookworm"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KRONOS_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def served(tmp_path):
    tiny = TinyDist(tmp_path)
    tiny.dist.mkdir()
    with tiny.signer, serving(tiny.dist) as port:
        tiny.base_url = f"http://127.0.0.1:{port}"
        yield tiny


def test_a_flipped_byte_in_any_kind_of_file_is_found(served):
    for version in ("1.0", "1.1"):
        make_deb(served.built, "alpha", version)
        make_source(served.built, "alpha", version)
        make_rpm(served.built, "alpha", version)
        (served.built / f"alpha_{version}_all.cdx.json").write_text("{}\n")
        (served.built / f"alpha-{version}-1.noarch.cdx.json").write_text("{}\n")
        served.publish(deb_target(), rpm_target())
    trusted = served.folder / "trusted.pgp"
    shutil.copyfile(served.keyring, trusted)
    assert verify_tree(served.dist, keyring=trusted)[0] == []
    kinds = {kind(served.dist, path): path for path in sorted(served.dist.rglob("*")) if path.is_file()}
    # An index and the same by its hash are one file of two names.
    kinds = {path.stat().st_ino: (name, path) for name, path in kinds.items()}
    assert len(kinds) > 35
    unseen = []
    for name, path in kinds.values():
        content = path.read_bytes()
        if not content:
            continue
        place = len(content) // 2
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        if not verify_tree(served.dist, keyring=trusted)[0]:
            unseen.append(name)
        path.write_bytes(content)
    assert unseen == []
    assert verify_tree(served.dist, keyring=trusted)[0] == []


def kind(dist, path):
    """Return the path without what tells files of one kind apart: hashes, times, versions."""
    name = str(path.relative_to(dist))
    return re.sub(r"[0-9a-f]{64}|\d{19}|(?<=[_-])1\.[01]", "*", name)


class Apt:
    """This machine's apt with folders of its own, and the suite as its only source."""

    def __init__(self, folder, tiny):
        self.folder, self.keyring = folder, folder / "trusted.pgp"
        for name in ("state/lists/partial", "cache/archives/partial", "etc"):
            (folder / name).mkdir(parents=True)
        (folder / "state/status").write_text("")
        self.trust(tiny.keyring)
        (folder / "etc/kronos.sources").write_text(
            f"Types: deb\nURIs: {tiny.base_url}/apt\nSuites: bookworm\nComponents: main\nSigned-By: {self.keyring}\n"
        )

    def trust(self, keyring):
        shutil.copyfile(keyring, self.keyring)

    def __call__(self, *words, check=True):
        options = {
            "Dir::State": self.folder / "state", "Dir::State::status": self.folder / "state/status",
            "Dir::Cache": self.folder / "cache", "Dir::Etc::SourceList": self.folder / "etc/kronos.sources",
            "Dir::Etc::SourceParts": "-", "Dir::Etc::Parts": "-", "Dir::Etc::Main": "-", "Acquire::Retries": "0",
            "APT::Sandbox::User": "root", "APT::Architecture": "amd64", "APT::Architectures": "amd64",
        }  # fmt: skip
        argv = ["apt-get", *(f"-o{name}={value}" for name, value in options.items()), *words]
        return run(argv, cwd=self.folder, check=check, timeout_s=60)

    def update(self):
        """Fetch everything anew; return whether apt trusts it."""
        shutil.rmtree(self.folder / "state/lists")
        (self.folder / "state/lists/partial").mkdir(parents=True)
        done = self("update", "--error-on=any", check=False)
        return done.returncode == 0

    def fetches(self, name):
        return self("download", name, check=False).returncode == 0


@pytest.fixture
def apt(tmp_path):
    return lambda tiny, name="apt": Apt(tmp_path / name, tiny)


def test_apt_goes_through_a_rotation_of_keys(served, apt):
    make_deb(served.built, "alpha", "1.0")
    served.publish(deb_target())
    old = apt(served, "old")
    assert old.update()
    start(served.signer, served.dist, Policy(), Reporter())
    both = apt(served, "both")
    new_key = served.folder / "new.pgp"
    newest = served.signer.signing_keys()[-1].fingerprint
    home = ["gpg", "--homedir", served.signer.home, "--batch", "--output", new_key]
    run([*home, "--export", newest])
    new = apt(served, "new")
    new.trust(new_key)
    # While both sign, a host may know either of them, or both.
    assert [client.update() for client in (old, both, new)] == [True, True, True]
    done = finish(served.signer, served.dist, Policy(), Reporter())
    assert done.keys == (newest,)
    assert [client.update() for client in (old, both, new)] == [False, True, True]
    assert verify_tree(served.dist, keyring=new_key)[0] == []
    old.trust(served.keyring)
    assert old.update()
    assert old.fetches("alpha=1.0")


def test_apt_refuses_a_strangers_package_and_a_strangers_index(served, apt, tmp_path):
    make_deb(served.built, "alpha", "1.0")
    served.publish(deb_target())
    client = apt(served)
    assert client.update()
    place = served.dist / "apt/pool/bookworm/alpha_1.0_all.deb"
    ours = place.read_bytes()
    theirs = bytearray(ours)
    theirs[-1] ^= 1
    place.write_bytes(theirs)
    assert not client.fetches("alpha")
    place.write_bytes(ours)
    assert client.fetches("alpha")
    release, signed = served.dist / SUITE / "Release", served.dist / SUITE / "InRelease"
    detached = served.dist / SUITE / "Release.gpg"
    with Signer(tmp_path / "their-keys") as other:
        other.ensure_key(Reporter())
        other.sign_inline(release, signed)
        assert not client.update()
        signed.unlink()
        other.sign_detached(release, detached)
        assert not client.update()
    detached.unlink()
    assert not client.update()
    assert {problem.path for problem in verify_tree(served.dist)[0]} == {f"{SUITE}/InRelease"}


def test_an_rpm_that_nobody_signed_is_found_though_the_indexes_are_signed(served, monkeypatch):
    make_rpm(served.built, "alpha", "1.0")
    with monkeypatch.context() as patch:
        patch.setattr(incoming, "sign_packages", lambda *_: None)
        served.publish(rpm_target())
    problems = verify_tree(served.dist)[0]
    assert [problem.path.rpartition("/")[2] for problem in problems] == [
        "alpha-1.0-1.src.rpm",
        "alpha-1.0-1.noarch.rpm",
    ]
    assert all("is not signed by a key of this repository" in problem.what for problem in problems)
