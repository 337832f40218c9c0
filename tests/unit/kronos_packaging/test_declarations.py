"""Declarations are read once, and what is wrong with one is said with its file's name."""

import pytest

from kronos_packaging.declarations import (
    Component,
    DeclarationError,
    Format,
    Recipe,
    Source,
    components_of,
    declared_targets,
    load_components,
    load_target,
    this_release,
)

TARGET = """\
name = "debian-12"
distribution = "debian"
release = "12"
suite = "bookworm"
format = "deb"
architecture = "amd64"
version_suffix = "+deb12"
python = "3.11"
builds = ["kronos"]
keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
keyring_package = "debian-archive-keyring"
"""
TREE = 'name = "x"\n[deb]\nsource = "tree"\npaths = ["debian"]\n'
DISTRO = 'name = "x"\n[deb]\nsource = "distro-source"\npackage = "xen"\nrevision = "1"\nchanges = ["C."]\n'
UPSTREAM = 'name = "x"\n[rpm]\nsource = "upstream"\nversion = "1"\nurl = "u"\nspec = "README.md"\n'


def test_ours_can_be_read():
    kronos, xen = load_components()
    assert (kronos.name, kronos.deb.source) == ("kronos", Source.TREE)
    assert (xen.name, xen.deb.source) == ("xen", Source.DISTRO)
    for name in declared_targets():
        target = load_target(name)
        assert {c.name for c in components_of(target, load_components())} >= {"kronos"}
    assert load_target("debian-12").suite == "bookworm"


def test_targets_are_those_promised():
    assert set(declared_targets()) >= {"debian-12", "debian-13", "ubuntu-24.04", "ubuntu-26.04"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name = ", "x.toml: Invalid value (at end of document)"),
        ('name = "x"', "x.toml: has neither [deb] nor [rpm]"),
        ('name = "y"\n' + TREE.split("\n", 1)[1], "x.toml: its name is 'y'"),
        ('name = "x"\ndeb = 1', "x.toml: [deb]: is a table"),
        ('name = "x"\n[deb]', "x.toml: [deb]: source is one of tree, distro-source, upstream"),
        (
            'name = "x"\n[deb]\nsource = "magic"',
            "x.toml: [deb]: source is one of tree, distro-source, upstream",
        ),
        ('name = "x"\n[deb]\nsource = "tree"', "x.toml: [deb]: source tree needs paths"),
        (
            'name = "x"\n[deb]\nsource = "distro-source"\npackage = "p"',
            "x.toml: [deb]: source distro-source needs revision, changes",
        ),
        (TREE + 'colour = "red"', "x.toml: [deb]: unknown keys: colour"),
        ('colour = "red"\n' + TREE, "x.toml: unknown keys: colour"),
        (TREE.split("\n", 1)[1], "x.toml: missing keys: name"),
        ('needs = "xen"\n' + TREE, "x.toml: needs is a list of strings"),
        (TREE.replace('["debian"]', '"debian"'), "x.toml: [deb]: paths is a list of strings"),
        (TREE.replace("debian", "debain"), "x.toml: [deb]: no such file in this tree: debain"),
        (DISTRO + "version = 4.17", "x.toml: [deb]: version is a string"),
        (DISTRO + 'fragment = "LICENSE"', "x.toml: [deb]: fragment and fragment_place go together"),
        (DISTRO + 'patches = ["a.patch"]', "x.toml: [deb]: no such file in this tree: a.patch"),
        (UPSTREAM, "x.toml: [rpm]: source upstream needs sha256 or sha512"),
        (UPSTREAM + 'sha256 = "abc"', "x.toml: [rpm]: sha256 is 64 hexadecimal digits"),
        (UPSTREAM + f'sha512 = "{"A" * 128}"', "x.toml: [rpm]: sha512 is 128 hexadecimal digits"),
    ],
)
def test_bad_component(tmp_path, text, sentence):
    (tmp_path / "x.toml").write_text(text)
    with pytest.raises(DeclarationError) as error:
        load_components(tmp_path)
    assert error.value.message == sentence


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (('"deb"', '"msi"'), "debian-12.toml: format is one of deb, rpm"),
        (('["kronos"]', '"kronos"'), "debian-12.toml: builds is a list of strings"),
        (('keyring_package = "debian-archive-keyring"', ""), "names its keyring and keyring_package"),
        (('name = "debian-12"', 'name = "debian-13"'), "debian-12.toml: its name is 'debian-13'"),
        (
            ('python = "3.11"', 'python = "3.11"\npins = ["xen"]'),
            "debian-12.toml: pins is a table of strings",
        ),
    ],
)
def test_bad_target(tmp_path, change, sentence):
    (tmp_path / "debian-12.toml").write_text(TARGET)
    assert load_target("debian-12", tmp_path).format is Format.DEB
    assert change[0] in TARGET
    (tmp_path / "debian-12.toml").write_text(TARGET.replace(*change))
    with pytest.raises(DeclarationError, match=sentence):
        load_target("debian-12", tmp_path)


def test_a_target_builds_what_there_is_and_what_that_needs():
    recipe = Recipe(Source.TREE, paths=("debian",))
    target = load_target("debian-12")
    needed, needing = Component("xen", deb=recipe), Component("kronos", needs=("xen",), deb=recipe)
    assert components_of(target, (needing, needed)) == (needing, needed)
    with pytest.raises(DeclarationError, match="debian-12: there is no component 'xen'"):
        components_of(target, (needing,))
    with pytest.raises(DeclarationError, match="debian-12: there is no deb recipe of component 'xen'"):
        components_of(target, (needing, Component("xen", rpm=recipe)))


def test_unknown_target_names_the_known(tmp_path):
    (tmp_path / "debian-12.toml").write_text(TARGET)
    with pytest.raises(DeclarationError) as error:
        load_target("debian-11", tmp_path)
    assert str(error.value) == "no target 'debian-11' (there are: debian-12)"


def test_this_release():
    assert this_release('ID=debian\nVERSION_ID="12"\nPRETTY_NAME="x = y"\n') == "debian-12"
    with pytest.raises(DeclarationError, match="name a target"):
        this_release("ID=arch\n")
