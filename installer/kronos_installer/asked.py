"""What the operator asks for, from everywhere: the answer file's keys, flags before them, all of it possible."""

from __future__ import annotations

from dataclasses import is_dataclass, replace
from typing import TYPE_CHECKING, Any

from kronos_installer.answer_source import load_answers
from kronos_installer.flags import FLAGS, Asked, asked_by_flags
from kronos_installer.problem import Level, Problem, ProblemError, RefusedError
from kronos_installer.wish_fields import answerable, beyond_rules
from kronos_installer.wishes import Confirm, PoolWish

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kronos_installer.host_files import HostFiles
    from kronos_installer.wish_fields import Field
    from kronos_installer.wishes import Wishes


def gather(args: dict[str, Any], files: HostFiles) -> Asked:
    """Take the flags of wishes out of the parsed command line, and read the answer file they name.

    Raises FlagError for wrong usage, RefusedError for answers and values that cannot be meant.
    """
    where, insecure_http = args.pop("answers", ""), args.pop("insecure_http", False)
    by_flags = asked_by_flags(args)
    problems = tuple(_beyond_rules(by_flags))
    if problems:
        raise RefusedError(problems)
    if not where:
        return by_flags
    try:
        return load_answers(where, files, insecure_http=insecure_http) | by_flags
    except ProblemError as error:
        raise RefusedError((error.problem,)) from error


def _beyond_rules(asked: Asked) -> Iterator[Problem]:
    for field in answerable():
        value = asked.get(field.key)
        if value is None:
            continue
        wrong: Iterable[tuple[Field, object]] = ()
        if is_dataclass(field.shape):
            wrong = beyond_rules(value)
        elif not all(map(field.accepts, value if field.many else (value,))):
            wrong = ((field, value),)
        for one, refused in wrong:
            yield Problem(Level.ERROR, "flag-wrong", f"{refused!r} cannot be meant", "", FLAGS.get(field.key, ""),
                          f"give {one.expected}")  # fmt: skip


def contradictions(asked: Asked) -> tuple[Problem, ...]:
    """Return what cannot be asked for together."""
    pool = asked.get("pool")
    found = []
    if pool is None and asked.get("confirm") is Confirm.MASTER:
        found.append(Problem(Level.ERROR, "wishes-contradict", "there is no pool master to confirm", "", "--confirm",
                             "join a pool, or let the gateway or the operator confirm"))  # fmt: skip
    if pool is not None and not pool.password_file:
        found.append(Problem(Level.ERROR, "wishes-contradict", f"no password to join {pool.master} with", "", "--join",
                             "write it to a file of root's, mode 0600, and give --password-file"))  # fmt: skip
    return tuple(found)


def differing(asked: Asked, wishes: Wishes, bound_to: str = "") -> tuple[str, ...]:
    """Return the names of what is asked for that is not what a set-up was made for.

    The fingerprint of a master's certificate has had its use when the host has joined. Until then the join is `bound_to`
    one, and another is another wish.
    """
    return tuple(name for name, value in asked.items() if _differs(value, getattr(wishes, name), bound_to))


def _differs(value: object, now: object, bound_to: str) -> bool:
    if not isinstance(value, PoolWish) or not isinstance(now, PoolWish):
        return value != now
    if bound_to and value.certificate not in ("", bound_to):
        return True
    return replace(value, fingerprint=now.fingerprint) != now
