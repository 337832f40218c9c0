"""What hosts need beside the repositories: keys, apt sources, the yum repository file, the landing page.

All of them are named in SHA256SUMS, which is signed, so that a published tree can be checked whole.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from debian.deb822 import Deb822
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from kronos_packaging.declarations import ROOM, Format, declared_targets, load_target
from kronos_packaging.repository.apt_release import COMPONENT
from kronos_packaging.repository.errors import RepositoryError
from kronos_packaging.repository.index_file import durable
from kronos_packaging.repository.signer import parse_fingerprints
from xapi_shim.base.atomic_file import fsync_directory

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kronos_packaging.declarations import Target
    from kronos_packaging.repository.model import Publication
    from kronos_packaging.repository.signer import Signer

KEYRING = "kronos-archive-keyring.pgp"
KEYRING_ARMORED = "kronos-archive-keyring.asc"
KEYRING_PLACE = f"/usr/share/keyrings/{KEYRING}"
SUMS = "SHA256SUMS"
SUMS_SIGNATURE = "SHA256SUMS.asc"
LANDING_PAGE = "index.html"
ADDRESS = re.compile(r"^URIs: (.*)/apt$", re.MULTILINE)
YUM_ADDRESS = re.compile(rf"^gpgkey=(.*)/{re.escape(KEYRING_ARMORED)}$", re.MULTILINE)
NAMES = {"debian": "Debian", "ubuntu": "Ubuntu", "fedora": "Fedora"}


@dataclass(frozen=True)
class Entry:
    """A release as the landing page names it."""

    target: Target
    title: str


def export_keys(signer: Signer, folder: Path) -> None:
    """Write the public keys into `folder`, as apt and as rpm take them."""
    signer.export(folder / KEYRING)
    signer.export(folder / KEYRING_ARMORED, armor=True)


def published_targets(dist: Path, more: Iterable[Target] = ()) -> list[Target]:
    """Return the declared targets and those of `more` that `dist` holds a repository for, or soon does, by name.

    `more` are the targets of what is being published.
    """
    coming = tuple(more)
    known = {name: load_target(name) for name in declared_targets()}
    known.update({target.name: target for target in coming})
    soon = {_signed_file(target) for target in coming}
    return [
        target
        for _, target in sorted(known.items())
        if (signed := _signed_file(target)) in soon or (dist / signed).exists()
    ]


def _signed_file(target: Target) -> str:
    """Return where the signature of the target's repository lies in a dist folder."""
    if target.format == Format.DEB:
        return f"apt/dists/{target.suite}/InRelease"
    return f"yum/{target.distribution}/{target.release}/{target.architecture}/repodata/repomd.xml"


def render_sources(target: Target, base_url: str) -> str:
    """Return a deb822 `.sources` file (sources.list(5))."""
    return _render("kronos.sources.j2", {"target": target, "title": _title(target), "base_url": base_url})


def render_client_files(
    targets: Sequence[Target], fingerprints: Iterable[str], base_url: str, main_target: str
) -> dict[str, str]:
    """Return name to text of the files for `targets`; kronos.sources is that of `main_target`: pure."""
    debs = [target for target in targets if target.format == Format.DEB]
    files = {f"kronos-{target.name}.sources": render_sources(target, base_url) for target in debs}
    if debs:
        main = next((target for target in debs if target.name == main_target), debs[0])
        files["kronos.sources"] = render_sources(main, base_url)
    if len(debs) < len(targets):
        files["kronos.repo"] = _render("kronos.repo.j2", {"base_url": base_url})
    page = {
        "targets": [Entry(target, _title(target)) for target in targets],
        "fingerprints": sorted(fingerprints),
        "base_url": base_url,
    }
    files[LANDING_PAGE] = _render("index.html.j2", page)
    return files


def _title(target: Target) -> str:
    return f"{NAMES.get(target.distribution, target.distribution)} {target.release}"


def _render(template: str, values: Mapping[str, object]) -> str:
    environment = Environment(
        loader=FileSystemLoader(ROOM / "templates"),
        autoescape=template.endswith(".html.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    always = {
        "component": COMPONENT,
        "keyring_place": KEYRING_PLACE,
        "keyring_folder": str(Path(KEYRING_PLACE).parent),
    }
    return environment.get_template(template).render({**always, **values})


def stage_client_files(
    dist: Path, signer: Signer, aside: Path, publications: Sequence[Publication] = (), base_url: str = "",
    main_target: str = "",
) -> list[tuple[Path, Path]]:  # fmt: skip
    """Write what has changed into the new folder `aside` and sign it; return what is to go where, in that order.

    Without a `base_url` the address is the one that hosts were told last, or that of the folder itself.
    Raises OSError, ProcessError, RepositoryError; nothing in `dist` has changed then.
    """
    url = base_url.rstrip("/") or read_base_url(dist) or f"file://{dist.absolute()}"
    targets = published_targets(dist, (publication.target for publication in publications))
    aside.mkdir()
    export_keys(signer, aside)
    files = {name: (aside / name).read_bytes() for name in (KEYRING, KEYRING_ARMORED)}
    fingerprints = parse_fingerprints(aside / KEYRING)
    main = main_target or _last_main(dist, targets)
    texts = render_client_files(targets, fingerprints, url, main)
    files.update({name: text.encode() for name, text in texts.items()})
    sums = (f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    files[SUMS] = "".join(sums).encode()
    for name, content in files.items():
        (aside / name).write_bytes(content)
    changed = [name for name, content in files.items() if not _is(dist / name, content)]
    if SUMS in changed or not (dist / SUMS_SIGNATURE).exists():
        signer.sign_detached(aside / SUMS, aside / SUMS_SIGNATURE)
        changed.append(SUMS_SIGNATURE)
    if blocked := next((name for name in changed if (dist / name).is_dir()), None):
        raise RepositoryError(f"{dist / blocked}: is a folder", resolution="move it away")
    for name in changed:
        (aside / name).chmod(0o644)
        with (aside / name).open("rb") as written:
            durable(written)
    return [(aside / name, dist / name) for name in changed]


def place_client_files(staged: Sequence[tuple[Path, Path]]) -> None:
    """Put what stage_client_files made into its place, file by file.

    A power cut in between leaves files that SHA256SUMS does not fit, until the next run; the repositories do not
    depend on them.
    """
    for source, place in staged:
        os.replace(source, place)
    for folder in {place.parent for _, place in staged}:
        fsync_directory(folder)


def write_client_files(
    dist: Path, signer: Signer, publications: Sequence[Publication] = (), base_url: str = "", main_target: str = ""
) -> None:  # fmt: skip
    """Bring them up to date in `dist`, as stage_client_files says; nothing is touched that stays the same."""
    aside = dist / ".client-files"
    shutil.rmtree(aside, ignore_errors=True)
    try:
        place_client_files(stage_client_files(dist, signer, aside, publications, base_url, main_target))
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def read_base_url(dist: Path) -> str:
    """Return the address that hosts were told last, "" when there is none."""
    for name, pattern in (("kronos.sources", ADDRESS), ("kronos.repo", YUM_ADDRESS)):
        if (dist / name).exists() and (match := pattern.search((dist / name).read_text())):
            return match.group(1)
    return ""


def _last_main(dist: Path, targets: Sequence[Target]) -> str:
    """Return the target that kronos.sources is for by now, "" when there is none."""
    main = dist / "kronos.sources"
    suite = Deb822(main.read_text()).get("Suites", "") if main.exists() else ""
    return next((target.name for target in targets if target.suite == suite), "")


def _is(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content
