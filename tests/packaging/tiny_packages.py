"""Tiny packages made by the real tools, and a dist folder of their own for them."""

from pathlib import Path

from kronos_packaging.declarations import Format, Target
from kronos_packaging.repository.model import Policy, Publication
from kronos_packaging.repository.publish import Options, publish
from kronos_packaging.repository.signer import Signer
from xapi_shim.base.process import run
from xapi_shim.base.progress import Reporter
from xapi_shim.base.system_packages import ensure_packages

DEBIAN = {"debian-12": "bookworm", "debian-13": "trixie"}


def deb_target(name="debian-12", architecture="amd64"):
    suite = DEBIAN[name]
    return Target(name, "debian", name.split("-")[1], suite, Format.DEB, architecture, "", "3.11", ())


def rpm_target(release="44"):
    return Target(f"fedora-{release}", "fedora", release, release, Format.RPM, "x86_64", "", "3.14", ())


def make_deb(folder, name, version, architecture="all", compression="xz", **fields):
    """Build NAME_VERSION_ARCHITECTURE.deb, which installs a file with its version in it."""
    tree = Path(folder).parent / f"tree-{name}"
    (tree / "DEBIAN").mkdir(parents=True, exist_ok=True)
    control = {
        "Package": name, "Version": version, "Architecture": architecture,
        "Maintainer": "Nobody <nobody@example.org>", "Section": "admin",
        "Description": f"tiny {name}\n The long words about {name}.\n .\n And more.", **fields,
    }  # fmt: skip
    (tree / "DEBIAN/control").write_text("".join(f"{key}: {value}\n" for key, value in control.items()))
    file = tree / f"usr/share/tiny/{name}"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{version}\n")
    Path(folder).mkdir(parents=True, exist_ok=True)
    run(["dpkg-deb", f"-Z{compression}", "--root-owner-group", "--build", tree, folder])
    return Path(folder) / f"{name}_{version.split(':')[-1]}_{architecture}.deb"


def make_source(folder, name, version):
    """Build a source package, format 3.0 (native)."""
    tree = Path(folder).parent / f"source-{name}" / f"{name}-{version}"
    (tree / "debian/source").mkdir(parents=True, exist_ok=True)
    (tree / "debian/source/format").write_text("3.0 (native)\n")
    (tree / "debian/control").write_text(
        f"Source: {name}\nMaintainer: Nobody <nobody@example.org>\nStandards-Version: 4.6.2\n\n"
        f"Package: {name}\nArchitecture: all\nDescription: tiny\n tiny\n"
    )
    (tree / "debian/changelog").write_text(
        f"{name} ({version}) unstable; urgency=medium\n\n  * Tiny.\n\n"
        " -- Nobody <nobody@example.org>  Sat, 21 Nov 2026 00:00:00 +0000\n"
    )
    Path(folder).mkdir(parents=True, exist_ok=True)
    run(["dpkg-source", "--build", tree], cwd=Path(folder))
    return Path(folder) / f"{name}_{version}.dsc"


def make_rpm(folder, name, version, architecture="noarch"):
    """Build NAME-VERSION-1.ARCHITECTURE.rpm and its source package."""
    ensure_packages(["rpm"], reporter=Reporter())
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    top = folder.parent / f"rpmbuild-{name}-{version}"
    top.mkdir(exist_ok=True)
    spec = top / f"{name}.spec"
    arch = "BuildArch: noarch\n" if architecture == "noarch" else ""
    spec.write_text(
        f"Name: {name}\nVersion: {version}\nRelease: 1\nSummary: tiny\nLicense: MIT\n{arch}"
        "%description\nTiny.\n"
        f"%install\nmkdir -p %{{buildroot}}/usr/share/tiny\necho {version} >%{{buildroot}}/usr/share/tiny/{name}\n"
        f"%files\n/usr/share/tiny/{name}\n"
    )
    macros = {
        "_topdir": top, "_rpmdir": folder, "_srcrpmdir": folder,
        "_rpmfilename": "%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm",
    }  # fmt: skip
    defines = [word for key, value in macros.items() for word in ("--define", f"{key} {value}")]
    run(["rpmbuild", "-ba", "--quiet", f"--target={architecture}", *defines, spec])
    return folder / f"{name}-{version}-1.{architecture}.rpm"


class TinyDist:
    """A dist folder, and a signing key of its own below `folder`."""

    def __init__(self, folder, base_url="", policy=None):
        self.folder, self.dist, self.built = folder, folder / "dist", folder / "built"
        self.base_url, self.policy = base_url, policy or Policy()
        self.built.mkdir(parents=True, exist_ok=True)
        self.signer = Signer(folder / "keys")
        self.signer.ensure_key(Reporter())

    def publish(self, *targets, policy=None, folder=None, **options):
        builds = [Publication(target, (folder or self.built,)) for target in targets]
        chosen = Options(base_url=self.base_url, **options)
        return publish(
            builds, self.signer, self.dist, policy or self.policy, options=chosen, reporter=Reporter()
        )

    @property
    def keyring(self):
        return self.dist / "kronos-archive-keyring.pgp"

    def content(self):
        """Return every published file and what is in it."""
        return {
            str(path.relative_to(self.dist)): path.read_bytes()
            for path in self.dist.rglob("*")
            if path.is_file()
        }
