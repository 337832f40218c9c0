"""A copy of this checkout that builds one tiny package, so that ./inv build itself can be interrupted."""

import os
import re
import shutil
from pathlib import Path

from tiny_sources import tiny_source

from kronos_packaging.build_root import cache_dir
from kronos_packaging.tree import read_tree, write_tree
from xapi_shim.base.process import run, start

PATHS = ("ci", "installer", "inv", "packaging", "requirements.txt", "tasks.py", "xapi_shim")
COMPONENT = 'name = "tiny"\n[deb]\nsource = "tree"\npaths = ["debian"]\n'
TARGET = "debian-12"


class TinyCheckout:
    """`path` is its root, `cache` a cache of its own that has this machine's roots and tools."""

    def __init__(self, folder: Path):
        self.path, self.cache, self.signing = folder / "tree", folder / "cache", folder / "signing"
        self.dist = self.path / "dist"
        write_tree(read_tree(PATHS), self.path, 0)
        shutil.rmtree(self.path / "packaging/components")
        (self.path / "packaging/components").mkdir()
        (self.path / "packaging/components/tiny.toml").write_text(COMPONENT)
        target = self.path / f"packaging/targets/{TARGET}.toml"
        target.write_text(re.sub("(?m)^builds = .*$", 'builds = ["tiny"]', target.read_text()))
        run(["git", "init", "--quiet", self.path])
        self.cache.mkdir()
        (cache_dir() / "roots").mkdir(parents=True, exist_ok=True)
        for path in (cache_dir() / "roots", *cache_dir().glob("venv-*")):
            (self.cache / path.name).symlink_to(path)
        self.write()

    def write(self, version="1", step=":", make="echo one"):
        """Change the package's source: `step` is run first, and `make` makes what is in it."""
        shutil.rmtree(self.path / "debian", ignore_errors=True)
        write_tree(tiny_source("tiny", version=version, step=step, make=make), self.path, 0)

    def _argv(self, *options):
        return [self.path / "inv", "build", "--target", TARGET, *options]

    @property
    def env(self):
        return {"KRONOS_CACHE": str(self.cache), "KRONOS_SIGNING_HOME": str(self.signing)}

    def build(self, *options, check=True, **env):
        return run(self._argv(*options), env={**self.env, **env}, check=check)

    def start(self, log):
        """Start a build whose outputs go to the open file `log`, as the leader of a group of its own."""
        return start(self._argv(), env=self.env, log=log)

    def published(self):
        """Return all that a client or the next run can see: every file's name and content."""
        return {
            str(path.relative_to(self.dist)): path.read_bytes()
            for path in sorted(self.dist.rglob("*"))
            if path.is_file()
        }

    def versions(self):
        (index,) = (self.dist / "apt/dists").glob("*/main/binary-amd64/Packages")
        return re.findall("^Version: (.*)$", index.read_text(), re.MULTILINE)

    def log_says(self, words):
        logs = self.cache.glob(f"packages/{TARGET}/*.part/build.log")
        return any(words in log.read_text() for log in logs)

    def at_work(self):
        """Return the processes that have a file or folder of ours as theirs: what a dead build left running."""
        found = []
        for process in Path("/proc").iterdir():
            try:
                places = [os.readlink(process / name) for name in ("root", "cwd")]
            except OSError:  # no process, or one that has just ended
                continue
            if any(place.startswith(str(self.cache)) for place in places):
                found.append(process.name)
        return found
