"""The tasks of the collection `repo`, and `publish`."""

from __future__ import annotations

import json as json_text
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from invoke.exceptions import Exit
from invoke.tasks import task

from xapi_shim.base.errors import KronosError
from xapi_shim.base.progress import Reporter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from invoke.context import Context

    from kronos_packaging.repository.model import Policy

DIST = Path(__file__).resolve().parents[2] / "dist"
DAMAGED = 4
DAYS = "days until apt refuses the indexes, 0 for never"


@contextmanager
def _errors(what: str) -> Iterator[None]:
    try:
        yield
    except KronosError as error:
        raise Exit(f"{what}: {error}", error.exit_status) from error


def _folder(path: str) -> Path:
    return Path(path).absolute() if path else DIST


@task(
    help={
        "path": "the published folder (dist/ unless given)",
        "keyring": "the keys to trust (those in the folder unless given)",
        "json": "print what is wrong as JSON",
    }
)
def verify(_: Context, path: str = "", keyring: str = "", json: bool = False) -> None:
    """Check published repositories, from their signatures down to every file; exit status 4 when damaged."""
    from kronos_packaging.repository.verify import verify_tree

    with _errors("repo.verify"):
        problems, right = verify_tree(_folder(path), keyring=Path(keyring) if keyring else None)
    if json:
        print(
            json_text.dumps({"right": right, "problems": [asdict(problem) for problem in problems]}, indent=1)
        )
    else:
        for problem in problems:
            print(problem)
    if problems:
        raise Exit(f"repo.verify: {len(problems)} wrong, {right} right", DAMAGED)
    if not json:
        print(f"{right} files, all as they were signed")


@task(
    help={
        "path": "the folder to serve (dist/ unless given)",
        "host": "the address to listen on",
        "port": "0: any",
    }
)
def serve(_: Context, path: str = "", host: str = "127.0.0.1", port: int = 8000) -> None:
    """Serve the repositories over HTTP until interrupted."""
    from kronos_packaging.repository.serve import serve_forever

    with _errors("repo.serve"):
        serve_forever(_folder(path), host, port)


@task(
    help={
        "path": "the published folder (dist/ unless given)",
        "base-url": "where hosts find it",
        "valid-days": DAYS,
    }
)
def refresh(_: Context, path: str = "", base_url: str = "", valid_days: int = 30) -> None:
    """Sign the repositories anew, with new dates, without building anything."""
    from kronos_packaging.repository import rotate_key
    from kronos_packaging.repository.signer import Signer, signing_home

    with _errors("repo.refresh"), Signer(signing_home()) as signer:
        rotate_key.refresh(signer, _folder(path), _policy(valid_days), Reporter(), base_url=base_url)


@task(
    name="rotate-key",
    help={
        "path": "the published folder (dist/ unless given)",
        "base-url": "where hosts find it",
        "finish": "retire the older of the two keys",
        "valid-days": DAYS,
        "json": "print the keys as JSON",
    },
)
def rotate_key(
    _: Context,
    path: str = "",
    base_url: str = "",
    finish: bool = False,
    valid_days: int = 30,
    json: bool = False,
) -> None:
    """Make a second signing key and sign with both; later, with --finish, retire the older."""
    from kronos_packaging.repository import rotate_key as rotation
    from kronos_packaging.repository.signer import Signer, signing_home

    step = rotation.finish if finish else rotation.start
    with _errors("repo.rotate-key"), Signer(signing_home()) as signer:
        done = step(signer, _folder(path), _policy(valid_days), Reporter(), base_url=base_url)
    if json:
        print(json_text.dumps(asdict(done), indent=1))
    else:
        print("\n".join(f"signs: {fingerprint}" for fingerprint in done.keys))
        print(f"retired: {done.retired}" if done.retired else "publish, give hosts time, then: --finish")


def _policy(valid_days: int) -> Policy:
    from kronos_packaging.repository.model import DAY_S, Policy

    return Policy(valid_s=valid_days * DAY_S if valid_days else None)


@task(
    help={
        "to": "a folder, rsync://host/module/path or ssh://user@host:port/path",
        "path": "the folder to send (dist/ unless given)",
        "ssh-config": "the ssh_config(5) with the key and the known host",
        "plan": "print the commands, and run none",
        "json": "print the steps as JSON",
    }
)
def publish(
    _: Context, to: str, path: str = "", ssh_config: str = "", plan: bool = False, json: bool = False
) -> None:
    """Send the repositories on: packages first, then indexes, then signatures, removals last."""
    from kronos_packaging.repository import upload

    with _errors("publish"):
        destination = upload.parse_destination(to, ssh_config)
        folder = _folder(path)
        steps = (
            upload.plan_upload(folder, destination)
            if plan
            else upload.upload(folder, destination, Reporter())
        )
    if json:
        print(json_text.dumps([asdict(step) for step in steps], indent=1))
    elif plan:
        for step in steps:
            print(f"{step.reason}\t{' '.join(step.argv)}")
