"""The repository as lab machines get it."""

import urllib.error
import urllib.request

import pytest

from kronos_lab.repo_server import HOST_AS_SEEN_INSIDE, serve


def test_serves_a_folder_on_the_loopback_until_its_block_ends(tmp_path):
    (tmp_path / "Release").write_text("Suite: test\n")
    with serve(tmp_path) as uri:
        here = uri.replace(HOST_AS_SEEN_INSIDE, "127.0.0.1")
        assert urllib.request.urlopen(f"{here}/Release", timeout=10).read() == b"Suite: test\n"
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(f"{here}/none", timeout=10)
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"{here}/Release", timeout=10)
