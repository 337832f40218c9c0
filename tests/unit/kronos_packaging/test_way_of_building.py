"""A package's key changes with every file of the factory that may change the package."""

import ast

import pytest

from kronos_packaging import way_of_building as subject
from kronos_packaging.declarations import Format

# They say what is built, which is in the key itself: recipe, target, checksums of sources; or in which order.
SAY_WHAT = {"declarations.py", "fetch.py", "inputs.py", "plan.py"}
# build_deb lends build_rpm its surroundings only.
DEB_ONLY = {"change_source.py", "distro_source.py"}


def imported(name):
    """Return the factory's modules that one of them imports when it runs."""

    class Finder(ast.NodeVisitor):
        def __init__(self):
            self.found = set()

        def visit_If(self, node):
            if not (isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"):
                self.generic_visit(node)

        def visit_ImportFrom(self, node):
            room, _, module = (node.module or "").partition(".")
            if room == "kronos_packaging" and module:
                self.found.add(f"{module.replace('.', '/')}.py")

    finder = Finder()
    finder.visit(ast.parse((subject.HERE / name).read_text()))
    return finder.found


def everything_below(*names):
    found, waiting = set(), list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += imported(name) if name not in SAY_WHAT else ()
    return found


@pytest.mark.parametrize(
    ("kind", "builder", "beside"),
    [(Format.DEB, "build_deb.py", SAY_WHAT), (Format.RPM, "build_rpm.py", SAY_WHAT | DEB_ONLY)],
)
def test_no_file_that_shapes_a_package_is_left_out(kind, builder, beside):
    modules = {name for name in subject.SHAPING[kind] if name.endswith(".py")}
    assert everything_below(builder, "provenance.py") - beside == modules
    assert all((subject.HERE / name).is_file() for name in subject.SHAPING[kind])


def test_another_byte_is_another_way(tmp_path, monkeypatch):
    for name in subject.SHAPING[Format.DEB]:
        (tmp_path / name).write_bytes((subject.HERE / name).read_bytes())
    before = subject.way_of_building(Format.DEB)
    monkeypatch.setattr(subject, "HERE", tmp_path)
    assert subject.way_of_building.__wrapped__(Format.DEB) == before
    with (tmp_path / "enter_root.sh").open("a") as file:
        file.write("#")
    assert subject.way_of_building.__wrapped__(Format.DEB) != before
