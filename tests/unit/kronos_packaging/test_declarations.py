"""Declarations are read once, and what is wrong with one is said with its file's name."""

import pytest

from kronos_packaging.declarations import (
    DeclarationError,
    Source,
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
"""


def test_ours_can_be_read():
    assert [(c.name, c.source) for c in load_components()] == [
        ("kronos", Source.TREE),
        ("xen", Source.DISTRO),
    ]
    assert [load_target(name).suite for name in declared_targets()] == ["bookworm", "trixie"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name = ", "x.toml: Invalid value (at end of document)"),
        ('name = "x"', "x.toml: source is one of tree, distro"),
        ('name = "x"\nsource = "magic"', "x.toml: source is one of tree, distro"),
        ('name = "x"\nsource = "tree"', "x.toml: a component from the tree names its paths"),
        ('name = "x"\nsource = "distro"', "x.toml: a component from the distro names its package"),
        ('source = "tree"\npaths = ["a"]', "x.toml: missing keys: name"),
        ('name = "x"\nsource = "tree"\npaths = ["a"]\ncolour = "red"', "x.toml: unknown keys: colour"),
    ],
)
def test_bad_component(tmp_path, text, sentence):
    (tmp_path / "x.toml").write_text(text)
    with pytest.raises(DeclarationError) as error:
        load_components(tmp_path)
    assert error.value.message == sentence


def test_unknown_target_names_the_known(tmp_path):
    (tmp_path / "debian-12.toml").write_text(TARGET)
    with pytest.raises(DeclarationError) as error:
        load_target("debian-11", tmp_path)
    assert str(error.value) == "no target 'debian-11' (there are: debian-12)"


def test_target_must_bear_its_files_name(tmp_path):
    (tmp_path / "debian-13.toml").write_text(TARGET)
    with pytest.raises(DeclarationError, match=r"debian-13\.toml: its name is 'debian-12'"):
        load_target("debian-13", tmp_path)


def test_this_release():
    assert this_release('ID=debian\nVERSION_ID="12"\nPRETTY_NAME="x = y"\n') == "debian-12"
    with pytest.raises(DeclarationError, match="name a target"):
        this_release("ID=arch\n")
