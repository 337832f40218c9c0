"""What a package's modules import is there with it: the distro's libraries are in its Depends, or in those of ours."""

import ast
import sys

import pytest
from debian.deb822 import Deb822, PkgRelation

from kronos_packaging.declarations import REPO

# Which Debian package brings a library.
BRINGS = {
    "aiohttp": "python3-aiohttp",
    "cryptography": "python3-cryptography",
    "defusedxml": "python3-defusedxml",
    "pam": "python3-pampy",
    "sdnotify": "python3-sdnotify",
    "yaml": "python3-yaml",
}
OURS = ("xapi_shim", "kronos_installer")
# Taken where it is installed; the module that plugins import does without.
OPTIONAL = {"XenAPI"}
# python3-pampy's module imports it, nothing of ours does.
FOR_OTHERS = {"python3-six"}


def stanzas():
    with (REPO / "debian/control").open() as text:
        return {one["Package"]: one for one in Deb822.iter_paragraphs(text) if "Package" in one}


def depends(package, found):
    """Return all that comes with a package, by way of ours."""
    if package not in found:
        return {package}
    relations = PkgRelation.parse_relations(found[package].get("Depends", ""))
    names = {choice[0]["name"] for choice in relations if not choice[0]["name"].startswith("$")}
    return {package}.union(*(depends(name, found) for name in names))


def modules(package):
    """Return the files that debian/PACKAGE.install puts among Python's modules."""
    path = REPO / f"debian/{package}.install"
    lines = path.read_text().splitlines() if path.exists() else []
    for source, target in (line.split() for line in lines):
        if "dist-packages" in target:
            place = REPO / source
            yield from place.rglob("*.py") if place.is_dir() else [place]


def statements(node):
    """Return all nodes below, but for what only type checkers read."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        yield child
        yield from statements(child)


def libraries(path):
    """Return what of others a module imports, at once or later."""
    found = set()
    for node in statements(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module)
    tops = {name.partition(".")[0] for name in found}
    return tops - sys.stdlib_module_names - OPTIONAL - set(OURS)


@pytest.mark.parametrize("package", sorted(stanzas()))
def test_what_is_imported_is_there(package):
    imported = {name for path in modules(package) for name in libraries(path)}
    assert {BRINGS[name] for name in imported} <= depends(package, stanzas())


def test_what_is_asked_for_is_imported():
    imported = {name for package in stanzas() for path in modules(package) for name in libraries(path)}
    asked = set().union(*(depends(package, stanzas()) for package in stanzas()))
    libraries_asked = {name for name in asked if name.startswith("python3-")}
    assert libraries_asked - FOR_OTHERS == {BRINGS[name] for name in imported}
