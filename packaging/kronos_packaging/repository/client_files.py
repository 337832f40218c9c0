"""What hosts need beside the repositories: keys, apt sources, the yum repository file, the landing page.

All of them are named in SHA256SUMS, which is signed, so that a published tree can be checked whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from debian.deb822 import Deb822
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from kronos_packaging.declarations import ROOM, Format, declared_targets, load_target
from kronos_packaging.repository.apt_release import COMPONENT
from kronos_packaging.repository.model import sha256_of
from kronos_packaging.repository.signer import parse_fingerprints
from xapi_shim.base.atomic_file import write_atomic

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
    """Return the declared targets and those of `more` that `dist` holds a repository for, by name."""
    known = {name: load_target(name) for name in declared_targets()}
    known.update({target.name: target for target in more})
    return [target for _, target in sorted(known.items()) if _is_published(dist, target)]


def _is_published(dist: Path, target: Target) -> bool:
    if target.format == Format.DEB:
        return (dist / "apt/dists" / target.suite / "InRelease").exists()
    place = dist / "yum" / target.distribution / target.release / target.architecture
    return (place / "repodata/repomd.xml").exists()


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


def write_client_files(
    dist: Path, signer: Signer, publications: Sequence[Publication] = (), base_url: str = "", main_target: str = ""
) -> None:  # fmt: skip
    """Write them into `dist` and sign what has changed; nothing is touched that stays the same.

    Without a `base_url` the address is the one that hosts were told last, or that of the folder itself.
    """
    url = base_url.rstrip("/") or read_base_url(dist) or f"file://{dist.absolute()}"
    targets = published_targets(dist, (publication.target for publication in publications))
    aside = dist / ".client-files"
    aside.mkdir(exist_ok=True)
    try:
        export_keys(signer, aside)
        files = {name: (aside / name).read_bytes() for name in (KEYRING, KEYRING_ARMORED)}
        fingerprints = parse_fingerprints(aside / KEYRING)
        main = main_target or _last_main(dist, targets)
        texts = render_client_files(targets, fingerprints, url, main)
        files.update({name: text.encode() for name, text in texts.items()})
        changed = [name for name, content in files.items() if not _is(dist / name, content)]
        for name in changed:
            write_atomic(dist / name, files[name])
        _sign_sums(dist, signer, sorted(files), aside)
    finally:
        for path in aside.iterdir():
            path.unlink()
        aside.rmdir()


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


def _sign_sums(dist: Path, signer: Signer, names: Sequence[str], aside: Path) -> None:
    text = "".join(f"{sha256_of(dist / name)}  {name}\n" for name in names).encode()
    if _is(dist / SUMS, text) and (dist / SUMS_SIGNATURE).exists():
        return
    (aside / SUMS).write_bytes(text)
    signer.sign_detached(aside / SUMS, aside / SUMS_SIGNATURE)
    write_atomic(dist / SUMS_SIGNATURE, (aside / SUMS_SIGNATURE).read_bytes())
    write_atomic(dist / SUMS, text)
