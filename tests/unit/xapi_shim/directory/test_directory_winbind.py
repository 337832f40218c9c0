"""A host without winbind, and one whose Samba configuration is somebody's."""

import pytest

from xapi_shim.directory.interface import DirectoryError, JoinError, Why
from xapi_shim.directory.winbind import WinbindDirectory

CONFIG = {"user": "Administrator", "pass": "secret"}


@pytest.fixture
def winbind(tmp_path):
    return WinbindDirectory(tmp_path / "smb.conf", tmp_path / "former")


async def test_without_winbind_the_error_says_what_to_install(winbind, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    for call in (winbind.join("ad.test", CONFIG), winbind.leave("ad.test", CONFIG)):
        with pytest.raises(JoinError, match="not installed: net wbinfo ntlm_auth systemctl") as failure:
            await call
        assert failure.value.why is Why.UNAVAILABLE
    with pytest.raises(DirectoryError, match="program not found: wbinfo"):
        await winbind.identifier("alice")


def test_the_former_configuration_comes_back(winbind, tmp_path):
    mine, kept = tmp_path / "smb.conf", tmp_path / "former"
    for had in ("an operator's\n", None):
        mine.write_text(had) if had else mine.unlink(missing_ok=True)
        winbind._configure("first")
        winbind._configure("second")
        assert mine.read_text() == "second"
        assert kept.stat().st_mode & 0o777 == 0o600
        winbind._restore()
        winbind._restore()
        assert (mine.read_text() if mine.exists() else None) == had
        assert not kept.exists()
