"""A bill of materials per package (CycloneDX 1.6): what it is, what it came from, what it depends on."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from debian.deb822 import PkgRelation
from debian.debfile import DebFile
from packageurl import PackageURL

from kronos_packaging.declarations import Format
from xapi_shim.base.process import run

if TYPE_CHECKING:
    from pathlib import Path

    from kronos_packaging.declarations import Target

VENDOR = "kronos"
NAMESPACE = uuid.UUID("2b5f2f7c-8a0e-5c1e-9f0b-8f3a5a2a9d11")


@dataclass(frozen=True)
class PackageFacts:
    """What a built package says of itself."""

    name: str
    version: str
    architecture: str
    source: str
    depends: tuple[str, ...]
    sha256: str


def read_package(path: Path) -> PackageFacts:
    """Return the facts of a .deb or .rpm. Raises ProcessError, debian.debfile.DebError."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if path.suffix == ".rpm":
        tags = "%{NAME}\n%{EPOCHNUM}:%{VERSION}-%{RELEASE}\n%{ARCH}\n%{SOURCERPM}\n[%{REQUIRENAME}\n]"
        words = run(["rpm", "--query", "--package", "--nosignature", f"--queryformat={tags}", path]).stdout
        name, version, architecture, source, *depends = words.splitlines()
        needed = tuple(sorted({word for word in depends if not word.startswith(("rpmlib(", "/"))}))
        return PackageFacts(name, version.removeprefix("0:"), architecture, source, needed, digest)
    with DebFile(path) as deb:
        control = deb.debcontrol()
    relations = PkgRelation.parse_relations(control["Depends"]) if control.get("Depends") else []
    names = {one["name"] for alternatives in relations for one in alternatives[:1] if one["name"]}
    source = control.get("Source", control["Package"]).split()[0]
    return PackageFacts(
        control["Package"], control["Version"], control["Architecture"], source, tuple(sorted(names)), digest
    )


def bill_of_materials(facts: PackageFacts, target: Target, made_at_s: int) -> str:
    """Return the CycloneDX document of a package, the same for the same package; dated `made_at_s`."""
    package = Component(
        name=facts.name,
        version=facts.version,
        type=ComponentType.APPLICATION,
        purl=package_url(facts, target),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=facts.sha256)],
        bom_ref=facts.name,
    )
    depends = [_named(name, target) for name in facts.depends if name != facts.name]
    source = _named(facts.source, target, {"arch": "source"}, "source:")
    bom = Bom(components=[*depends, source])
    bom.serial_number = uuid.uuid5(NAMESPACE, facts.sha256)
    bom.metadata.timestamp = datetime.fromtimestamp(made_at_s, UTC)
    bom.metadata.component = package
    bom.register_dependency(package, [*depends, source])
    return JsonV1Dot6(bom).output_as_string(indent=1) + "\n"


def package_url(facts: PackageFacts, target: Target) -> PackageURL:
    """Return the purl of a package of ours."""
    qualifiers = {"arch": facts.architecture, "distro": target.name}
    return PackageURL(_purl_type(target), VENDOR, facts.name, facts.version, qualifiers)


def _purl_type(target: Target) -> str:
    return "deb" if target.format is Format.DEB else "rpm"


def _named(
    name: str, target: Target, qualifiers: dict[str, str] | None = None, prefix: str = ""
) -> Component:
    purl = PackageURL(
        _purl_type(target), target.distribution, name, None, qualifiers or {"distro": target.name}
    )
    return Component(name=name, type=ComponentType.LIBRARY, purl=purl, bom_ref=f"{prefix}{name}")
