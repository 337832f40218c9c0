"""What a .deb or .dsc that nobody here built may do to the indexes: nothing."""

import gzip
import hashlib
import io
import lzma
import tarfile
import tracemalloc
from contextlib import contextmanager

import pytest

from kronos_packaging.repository.errors import DamagedPackageError
from kronos_packaging.repository.read_deb import read_deb, read_dsc

CONTROL = "Package: alpha\nVersion: 1.0\nArchitecture: all\nDescription: tiny\n long\n"
PACKERS = {"": bytes, ".gz": gzip.compress, ".xz": lzma.compress}


def tar_of(files):
    """A tar of name to content; a name in bytes is written as it is, in the old format."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.GNU_FORMAT, errors="surrogateescape") as tar:
        for name, content in files.items():
            text = name.decode("utf-8", "surrogateescape") if isinstance(name, bytes) else name
            member = tarfile.TarInfo(text)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return made.getvalue()


def write_deb(folder, control=CONTROL, files=None, packed=".gz", more_control=None):
    """Write a .deb by hand: dpkg-deb refuses to make these."""
    text = control if isinstance(control, bytes) else control.encode()
    data = tar_of({"./usr/a": b"a\n"} if files is None else files)
    parts = {
        "debian-binary": b"2.0\n",
        "control.tar.gz": gzip.compress(tar_of({"./control": text, **(more_control or {})})),
        f"data.tar{packed}": PACKERS[packed](data),
    }
    out = b"!<arch>\n"
    for name, content in parts.items():
        out += f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode()
        out += content + b"\n" * (len(content) % 2)
    path = folder / "alpha_1.0_all.deb"
    path.write_bytes(out)
    return path


def read(path):
    content = path.read_bytes()
    return read_deb(path, f"pool/bookworm/{path.name}", hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize("packed", list(PACKERS))
def test_an_honest_package_is_read(tmp_path, packed):
    package = read(write_deb(tmp_path, files={"./usr/a b": b"", "./usr/é": b""}, packed=packed))
    assert (package.name, package.version, package.architecture) == ("alpha", "1.0", "all")
    assert package.listing == "usr/a b\tmisc/alpha\nusr/é\tmisc/alpha\n"
    assert package.entry.count("Size: ") == package.entry.count("SHA256: ") == 1


@pytest.mark.parametrize(
    "field", ["Filename", "Size", "size", "MD5sum", "SHA1", "SHA256", "SHA512", "Description-md5"]
)
def test_a_control_file_cannot_say_what_the_index_says(tmp_path, field):
    with pytest.raises(DamagedPackageError, match=f"(?i)its control file has the field {field}"):
        read(write_deb(tmp_path, f"{CONTROL}{field}: 1\n"))


@pytest.mark.parametrize("mark", ["\u2028", "\x0c", "\x85", "\r", "\x00", "\x1b"])
def test_a_control_file_with_other_ends_of_line_is_refused(tmp_path, mark):
    with pytest.raises(DamagedPackageError, match="control character"):
        read(write_deb(tmp_path, f"{CONTROL}Homepage: a{mark}Filename: b\n"))


@pytest.mark.parametrize("name", ["./a\nb", "./a\tb", "./a\u2028b", "./a\x0cb", b"./a\xff"])
def test_a_path_that_no_line_of_contents_can_hold_is_refused(tmp_path, name):
    with pytest.raises(DamagedPackageError, match="path"):
        read(write_deb(tmp_path, files={name: b""}))


def test_a_huge_control_file_is_refused(tmp_path):
    with pytest.raises(DamagedPackageError, match="control file is larger than"):
        read(write_deb(tmp_path, CONTROL + f"Comment: {'x' * 2_000_000}\n"))


def test_a_control_part_that_unpacks_without_end_is_refused(tmp_path):
    with pytest.raises(DamagedPackageError, match="unpacks to more than"):
        read(write_deb(tmp_path, more_control={"./templates": bytes(70_000_000)}))


def test_the_content_of_a_package_is_not_held_in_memory(tmp_path):
    path = write_deb(tmp_path, files={"./big": bytes(50_000_000)}, packed="")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    with peak_bytes() as peak:
        read_deb(path, "pool/a.deb", digest)
        assert peak() < 10_000_000


@contextmanager
def peak_bytes():
    tracemalloc.start()
    try:
        yield lambda: tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("line", ["Package: b", "Directory: pool/b"])
def test_a_dsc_cannot_say_what_the_index_says(tmp_path, line):
    path = write_dsc(tmp_path, line)
    with pytest.raises(DamagedPackageError, match=f"it has the field {line.split(':')[0]}"):
        read_dsc(path, "pool/alpha_1.dsc", "0" * 64)


def test_a_dsc_with_other_ends_of_line_is_refused(tmp_path):
    path = write_dsc(tmp_path, "Homepage: a\u2028b")
    with pytest.raises(DamagedPackageError, match="control character"):
        read_dsc(path, "pool/alpha_1.dsc", "0" * 64)


def test_a_part_of_a_source_package_is_no_symbolic_link(tmp_path):
    path = write_dsc(tmp_path, "Homepage: a")
    assert read_dsc(path, "pool/alpha_1.dsc", "0" * 64).name == "alpha"
    tar = tmp_path / "alpha_1.tar.xz"
    tar.rename(tmp_path / "elsewhere")
    tar.symlink_to("elsewhere")
    with pytest.raises(DamagedPackageError, match="is no regular file"):
        read_dsc(path, "pool/alpha_1.dsc", "0" * 64)


def write_dsc(folder, line):
    tar = b"tar\n"
    (folder / "alpha_1.tar.xz").write_bytes(tar)
    row = f"{len(tar)} alpha_1.tar.xz"
    sha256, md5 = hashlib.sha256(tar).hexdigest(), hashlib.md5(tar).hexdigest()
    path = folder / "alpha_1.dsc"
    path.write_text(
        f"Format: 3.0 (native)\nSource: alpha\nVersion: 1\n{line}\n"
        f"Checksums-Sha256:\n {sha256} {row}\nFiles:\n {md5} {row}\n"
    )
    return path
