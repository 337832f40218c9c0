"""The apt repository as real apt sees it: suites, architectures, old versions, expiry, and change under its eyes."""

import re
import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
from tiny_packages import DEBIAN, TinyDist, deb_target, make_deb, make_source

from kronos_packaging.build_root import clean_root, ensure_root_tar
from kronos_packaging.declarations import load_target
from kronos_packaging.repository.client_files import KEYRING_PLACE
from kronos_packaging.repository.model import Policy
from kronos_packaging.repository.serve import serving
from kronos_packaging.repository.verify import verify_tree
from xapi_shim.base.process import run
from xapi_shim.base.progress import Reporter

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(600)]


class AptClient:
    """apt of a clean root, with a repository of ours as its only source."""

    def __init__(self, root, tiny, uri, suite):
        self.root, self.suite = root, suite
        self.trust(tiny.keyring)
        text = f"Types: deb deb-src\nURIs: {uri}/apt\nSuites: {suite}\nComponents: main\nSigned-By: {KEYRING_PLACE}\n"
        root.write("/etc/apt/sources.list.d/kronos.sources", text)

    def trust(self, keyring):
        self.root.copy_in(keyring, KEYRING_PLACE)

    def forget(self):
        """Forget what was fetched before: apt keeps a repository that it cannot get anew."""
        run(["rm", "--recursive", "--force", self.root.path / "var/lib/apt/lists"])

    def apt(self, *words, check=True):
        options = {
            "Dir::Etc::SourceList": "/etc/apt/sources.list.d/kronos.sources", "Dir::Etc::SourceParts": "-",
            "Acquire::Languages": "en", "Acquire::Retries": "0", "APT::Sandbox::User": "root",
        }  # fmt: skip
        argv = [f"-o{name}={value}" for name, value in options.items()]
        return self.root.run([words[0], *argv, *words[1:]], network=True, check=check, timeout_s=120)

    def update(self, check=True):
        return self.apt("apt-get", "update", "--error-on=any", check=check)

    def versions(self, package, *options):
        told = self.apt("apt-cache", *options, "madison", package).stdout
        return [line.split("|")[1].strip() for line in told.splitlines() if "Packages" in line]


@pytest.fixture(scope="module", params=sorted(DEBIAN))
def root(request):
    with clean_root(ensure_root_tar(load_target(request.param), (), Reporter())) as made:
        made.release = request.param
        yield made


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    monkeypatch.setenv("KRONOS_CACHE", str(tmp_path / "cache"))
    made = TinyDist(tmp_path)
    with made.signer:
        yield made


@pytest.fixture
def served(tiny):
    tiny.dist.mkdir()
    with serving(tiny.dist) as port:
        tiny.base_url = f"http://127.0.0.1:{port}"
        yield tiny


def client_of(root, tiny):
    client = AptClient(root, tiny, tiny.base_url, DEBIAN[root.release])
    client.forget()
    return client


def test_apt_sees_suites_architectures_sources_and_long_descriptions(root, served):
    make_deb(served.built, "for-all", "1.0")
    make_deb(served.built, "for-pc", "1.0", "amd64", compression="zstd")
    make_source(served.built, "for-all", "1.0")
    arm, other = served.folder / "arm", served.folder / "other"
    make_deb(arm, "for-arm", "1.0", "arm64", compression="gzip")
    make_deb(other, "for-other", "1.0")
    served.publish(deb_target(root.release))
    served.publish(deb_target(root.release, "arm64"), folder=arm)
    another = next(name for name in DEBIAN if name != root.release)
    served.publish(deb_target(another), folder=other)
    assert verify_tree(served.dist)[0] == []
    client = client_of(root, served)
    client.update()
    assert client.versions("for-all") == client.versions("for-pc") == ["1.0"]
    assert client.versions("for-arm") == client.versions("for-other") == []
    assert "The long words about for-pc." in client.apt("apt-cache", "show", "for-pc").stdout
    client.apt("apt-get", "--yes", "install", "for-all", "for-pc")
    assert (root.path / "usr/share/tiny/for-pc").read_text() == "1.0\n"
    client.apt("apt-get", "source", "--download-only", "for-all")
    as_arm = "-oAPT::Architecture=arm64"
    client.apt("apt-get", as_arm, "-oAPT::Architectures=arm64", "update", "--error-on=any")
    assert client.versions("for-arm", as_arm, "-oAPT::Architectures=arm64") == ["1.0"]
    assert client.versions("for-all", as_arm, "-oAPT::Architectures=arm64") == ["1.0"]


def test_indexes_say_what_apt_ftparchive_says(tiny):
    make_deb(tiny.built, "one", "1.0")
    make_deb(tiny.built, "two", "2:1.5-1", "amd64", Depends="one (>= 1.0)")
    tiny.publish(deb_target())
    place = tiny.dist / "apt/dists/bookworm/main"
    options = [f"-oAPT::FTPArchive::{name}=false" for name in ("MD5", "SHA1", "SHA512", "LongDescription")]
    told = run(["apt-ftparchive", *options, "packages", "pool/bookworm"], cwd=tiny.dist / "apt").stdout
    assert stanzas((place / "binary-amd64/Packages").read_text()) == stanzas(told)
    told = run(["apt-ftparchive", "contents", "pool/bookworm"], cwd=tiny.dist / "apt").stdout
    # apt-ftparchive leaves the sections out, the archives of the distros do not.
    ours = (place / "Contents-amd64").read_text().replace("admin/", "")
    assert [line.split() for line in ours.splitlines()] == [line.split() for line in told.splitlines()]


def stanzas(text):
    found = [
        dict(line.split(": ", 1) for line in stanza.splitlines()) for stanza in text.strip().split("\n\n")
    ]
    return sorted(found, key=lambda stanza: stanza["Package"])


@pytest.mark.parametrize("root", ["debian-12"], indirect=True)
def test_apt_refuses_what_is_out_of_date_until_it_is_signed_anew(root, served):
    make_deb(served.built, "alpha", "1.0")
    served.publish(deb_target(), now_s=1_700_000_000)
    assert [problem.what for problem in verify_tree(served.dist)[0]] == [
        "its Valid-Until is over: sign it again with ./inv repo.refresh"
    ]
    client = client_of(root, served)
    refused = client.update(check=False)
    assert refused.returncode != 0
    assert "is expired" in refused.stderr
    served.publish(resign=True)
    assert verify_tree(served.dist)[0] == []
    client.update()
    assert client.versions("alpha") == ["1.0"]
    served.publish(resign=True, policy=Policy(valid_s=None))
    assert "Valid-Until" not in (served.dist / "apt/dists/bookworm/InRelease").read_text()


@pytest.mark.parametrize("root", ["debian-12"], indirect=True)
def test_old_versions_stay_as_long_as_the_policy_says(root, served):
    client = None
    for version in ("1.0", "1.9", "1.10", "1.11~rc1"):
        make_deb(served.built, "alpha", version)
        served.publish(deb_target(), policy=Policy(keep_versions=2, generations=1, grace_s=0))
    client = client_of(root, served)
    client.update()
    assert client.versions("alpha") == ["1.11~rc1", "1.10"]
    client.apt("apt-get", "--yes", "--allow-downgrades", "install", "alpha=1.10")
    # 1.9 is still named by the generation before this one; 1.0 by none that is kept.
    pool = sorted(path.name for path in (served.dist / "apt/pool/bookworm").iterdir())
    assert pool == ["alpha_1.10_all.deb", "alpha_1.11~rc1_all.deb", "alpha_1.9_all.deb"]
    assert verify_tree(served.dist)[0] == []


@pytest.mark.parametrize(("policy", "found"), [(Policy(keep_versions=1, generations=2, grace_s=0), True),
                                               (Policy(keep_versions=1, generations=0, grace_s=3600), True),
                                               (Policy(keep_versions=1, generations=0, grace_s=0), False)])  # fmt: skip
def test_a_host_in_the_middle_of_an_update_finds_what_it_was_promised(served, policy, found):
    make_deb(served.built, "alpha", "1.0")
    served.publish(deb_target(), policy=policy)
    suite = f"{served.base_url}/apt/dists/bookworm"
    release = fetch(f"{suite}/InRelease").decode()
    for version in ("1.1", "1.2"):
        make_deb(served.built, "alpha", version)
        served.publish(deb_target(), policy=policy)
    digest = re.search(r" ([0-9a-f]{64}) \d+ main/binary-amd64/Packages\n", release).group(1)
    if not found:
        with pytest.raises(urllib.error.HTTPError):
            fetch(f"{suite}/main/binary-amd64/by-hash/SHA256/{digest}")
        return
    index = fetch(f"{suite}/main/binary-amd64/by-hash/SHA256/{digest}").decode()
    path = re.search(r"Filename: (.*)", index).group(1)
    assert path == "pool/bookworm/alpha_1.0_all.deb"
    assert fetch(f"{served.base_url}/apt/{path}").startswith(b"!<arch>\n")


def fetch(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read()


@pytest.mark.parametrize("root", ["debian-12"], indirect=True)
def test_apt_updating_all_the_while_never_sees_a_mixture(root, served):
    make_deb(served.built, "alpha", "1.0")
    make_deb(served.built, "beta", "1.0")
    served.publish(deb_target())
    client = client_of(root, served)
    stop = threading.Event()

    def publish_all_the_while():
        number = 0
        while not stop.is_set():
            number += 1
            for name in ("alpha", "beta"):
                make_deb(served.built, name, f"1.{number}")
            served.publish(deb_target(), policy=Policy(keep_versions=1))
        return number

    with ThreadPoolExecutor() as pool:
        publisher = pool.submit(publish_all_the_while)
        try:
            seen = update_and_look(client, 12)
        finally:
            stop.set()
        assert publisher.result() > 3
    assert len(set(seen)) > 3
    assert verify_tree(served.dist)[0] == []


def update_and_look(client, times):
    seen = []
    for _ in range(times):
        client.update()
        pair = client.versions("alpha"), client.versions("beta")
        assert pair[0] == pair[1], "a mixture"
        seen.append(pair[0][0])
        client.apt("apt-get", "--yes", "--reinstall", "install", "alpha", "beta")
    return seen
