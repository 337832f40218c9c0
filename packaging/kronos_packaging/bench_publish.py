"""Publishes one folder of packages, once: what bench_repository starts, as it starts the peers.

python -m kronos_packaging.bench_publish DIST SIGNING_HOME BUILT TARGET
"""

from __future__ import annotations

import sys
from pathlib import Path

from kronos_packaging.declarations import load_target
from kronos_packaging.repository.model import Policy, Publication
from kronos_packaging.repository.publish import publish
from kronos_packaging.repository.signer import Signer

if __name__ == "__main__":
    dist, home, built, name = sys.argv[1:]
    with Signer(Path(home)) as signer:
        publish([Publication(load_target(name), (Path(built),))], signer, Path(dist), Policy())
