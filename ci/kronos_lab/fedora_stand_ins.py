"""What stands in for Fedora's packages: Debian's, which rpm's database has under the names that ours ask for.

Used by the lab's machine with Fedora's lay-out, and by the tests of the packages in a clean root.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# A package of Debian 13's, and what rpm packages ask for that it has.
BASE: dict[str, tuple[str, ...]] = {
    "bash": ("/bin/sh", "/usr/bin/sh"),
    "dnf": (),
    "e2fsprogs": ("e2fsprogs",),
    "iproute2": ("iproute",),
    "iputils-ping": ("iputils",),
    "mount": ("util-linux",),
    "passwd": ("shadow-utils",),
    "python3": ("/usr/bin/python3", "python(abi) = 3.14"),
    "python3-aiohttp": ("python3-aiohttp",),
    "python3-cryptography": ("python3-cryptography",),
    "python3-defusedxml": ("python3-defusedxml",),
    "python3-pampy": ("python3-pam",),
    "python3-sdnotify": ("python3-sdnotify",),
    "python3-six": ("python3-six",),
    "python3-yaml": ("python3-pyyaml",),
    "qemu-utils": ("qemu-img",),
    "rpm": (),
    "systemd": ("systemd",),
}
# What our Xen asks for beside that.
FOR_XEN: dict[str, tuple[str, ...]] = {
    "bash": ("/bin/bash", "/usr/bin/bash"),
    "kpartx": ("kpartx",),
    "libc6": ("rtld(GNU_HASH)",),
    "libncurses6": (),
    "libyajl2": (),
    "logrotate": ("logrotate",),
    "perl-base": ("/usr/bin/perl", "/bin/perl"),
    "qemu-system-xen": ("qemu-system-x86-core",),
    "qemu-utils": ("/usr/bin/qemu-img",),
}


def stand_in_spec(provides: Iterable[str]) -> str:
    """Return the spec of an empty package that says that it has all of these."""
    lines = "".join(f"Provides: {name}\n" for name in provides)
    return (
        "Name: base\nVersion: 1\nRelease: 1\nSummary: base\nLicense: MIT\nBuildArch: noarch\n"
        f"{lines}%description\nbase\n%files\n"
    )
