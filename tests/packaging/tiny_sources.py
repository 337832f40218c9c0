"""Debian sources of a few lines, that build in a second: one of them needs the other's package to build."""

from kronos_packaging.declarations import Component, Recipe, Source
from kronos_packaging.inputs import Ingredients, TargetInputs
from kronos_packaging.tree import TreeFile

RULES = """\
#!/usr/bin/make -f
clean build build-arch build-indep binary-arch:
binary binary-indep:
	{step}
	mkdir -p debian/{name}/DEBIAN debian/{name}/usr/share/{name}
	{make} >debian/{name}/usr/share/{name}/data
	dpkg-gencontrol -p{name} -Pdebian/{name}
	dpkg-deb --root-owner-group --build debian/{name} ..
"""
CONTROL = """\
Source: {name}
Maintainer: Kronos maintainers <maintainers@example.org>
Standards-Version: 4.6.2
Rules-Requires-Root: no
{needs}
Package: {name}
Architecture: all
Description: data for tests
 There is nothing else to say.
"""
CHANGELOG = """\
{name} ({version}) unstable; urgency=medium

  * First.

 -- Kronos maintainers <maintainers@example.org>  Fri, 20 Nov 2026 12:00:00 +0000
"""


def tiny_source(name, make="echo one", needs="", step=":", version="1"):
    """Return the files of a source whose package has the output of `make` in it; `step` is run first."""
    needs = f"Build-Depends: {needs}\n" if needs else ""
    return (
        TreeFile("debian/changelog", CHANGELOG.format(name=name, version=version).encode()),
        TreeFile("debian/control", CONTROL.format(name=name, needs=needs).encode()),
        TreeFile("debian/rules", RULES.format(name=name, make=make, step=step).encode(), executable=True),
        TreeFile("debian/source/format", b"3.0 (native)\n"),
    )


def tiny_inputs(target, **sources):
    """Return what is to be built: names to pairs of a source and the components that it needs."""
    recipe = Recipe(Source.TREE, paths=("debian",))
    components = tuple(Component(name, needs, deb=recipe) for name, (_, needs) in sources.items())
    return TargetInputs(
        target, components, {name: Ingredients(recipe, f) for name, (f, _) in sources.items()}
    )
