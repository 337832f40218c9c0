"""Active Directory by the distro's own winbind, against a real domain controller (Samba's)."""

from pathlib import Path

import pytest

from kronos_packaging import factory
from kronos_packaging.build_root import clean_root, ensure_root_tar
from kronos_packaging.declarations import REPO
from xapi_shim.base.progress import Reporter
from xapi_shim.base.system_packages import ensure_packages

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(900)]

PACKAGES = (
    "hostname", "iproute2", "mount", "python3", "python3-aiohttp", "python3-cryptography", "python3-defusedxml",
    "python3-pampy", "python3-sdnotify", "samba", "samba-ad-dc",
    "samba-ad-provision", "winbind",
)  # fmt: skip
SCENARIO = "/srv/tree/tests/packaging/active_directory_scenario.py"


def test_a_host_joins_a_domain_whose_users_log_in(target, tmp_path):
    ensure_packages(factory.SYSTEM_PACKAGES, reporter=Reporter())
    with clean_root(ensure_root_tar(target, PACKAGES, Reporter())) as root:
        env = {"PYTHONPATH": "/srv/tree", "PYTHONDONTWRITEBYTECODE": "1"}
        told = tmp_path / "told"
        with told.open("w") as log:
            done = root.run(["python3", SCENARIO], env=env, binds={Path(REPO): "/srv/tree"}, log=log,
                            check=False, timeout_s=600)  # fmt: skip
        assert done.returncode == 0, told.read_text()
