"""xapi-host-setup: turns an ordinary Debian host into a XenAPI host, and back to the byte."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kronos_installer.asked import gather
from kronos_installer.commands import Exit, Options
from kronos_installer.flags import add_wish_flags, named
from kronos_installer.host import Host, Runner, SystemRunner
from kronos_installer.life_commands import LifeCommands
from kronos_installer.problem import RefusedError
from kronos_installer.standard_streams import answer, complain, finish, prepare
from xapi_shim.base.errors import KronosError
from xapi_shim.base.progress import Reporter

if TYPE_CHECKING:
    from collections.abc import Sequence

# 128 and the signal's number, as shells say it.
_INTERRUPTED = 130
_OUTCOMES: dict[int, str] = {Exit.USAGE: "wrong usage", Exit.REFUSED: "refused", Exit.DECLINED: "declined"}
_EPILOG = """\
exit status:
  0  done, or nothing to do
  1  failed; apply undid what it had done
  2  wrong usage
  3  refused: the host has problems, nothing was changed
  4  declined at the question
  5  needs attention: interrupted, no longer as set up, the last steps wait, or the answer could not be written
  130  interrupted by ctrl-C: 'status' tells how far it is
"""


def _folder(text: str) -> Path:
    """Return a folder that is there: a mistyped one would look like a host that is not set up."""
    try:
        found = bool(text) and Path(text).is_dir()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error.strerror}") from error
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no folder")
    return Path(text)


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--json", action="store_true", help="print one JSON document; progress is JSON lines on stderr"
    )
    common.add_argument(
        "--root", type=_folder, default=Path("/"), metavar="DIR", help="work on the system below DIR"
    )
    wishes = argparse.ArgumentParser(add_help=False)
    add_wish_flags(wishes)
    consent = argparse.ArgumentParser(add_help=False)
    consent.add_argument("--yes", action="store_true", help="do not ask")
    top = argparse.ArgumentParser(
        prog="xapi-host-setup",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    sub = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, help_: str, *parents: argparse.ArgumentParser) -> argparse.ArgumentParser:
        return sub.add_parser(name, help=help_, description=help_, parents=[common, *parents], epilog=_EPILOG,
                              formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip

    add("check", "show facts, and problems that forbid the set-up; changes nothing", wishes)
    plan = add("plan", "show exactly what apply would do: diffs, commands, reboot; changes nothing", wishes)
    plan.add_argument(
        "--save",
        type=named,
        default=argparse.SUPPRESS,
        metavar="FILE",
        help="write the plan for apply --plan, for root alone",
    )
    apply = add(
        "apply",
        "show the plan, ask, and carry it out; goes on where an earlier one was cut off",
        wishes,
        consent,
    )
    apply.add_argument("--plan", dest="plan_file", type=named, default=argparse.SUPPRESS, metavar="FILE",
                       help="carry out exactly the plan that plan --save wrote; refused if the host has changed")  # fmt: skip
    apply.add_argument("--switch-network-now", action="store_true", help="do not leave the network to the reboot; "
                       "it comes back by itself unless it is confirmed")  # fmt: skip
    add("status", "show how far the host is; changes nothing")
    add("reconfigure", "carry other wishes out on a host that is set up; they take effect at the next reboot",
        wishes, consent)  # fmt: skip
    add("leave-pool", "take the host out of its pool; its daemon begins anew with a pool of its own", consent)
    add(
        "doctor", "check all that a set-up host relies on, and say how to mend what is wrong; changes nothing"
    )
    back = add("rollback", "put everything back as it was before apply", consent)
    back.add_argument(
        "--force", action="store_true", help="also where files were changed since; that change is lost"
    )
    back.add_argument("--remove-packages", action="store_true", help="after the rollback and a reboot: remove the "
                      "packages that apply had installed")  # fmt: skip
    back.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    add("confirm", "say that the host is reachable on its new network, which then stays")
    add("guard", "at boot: put back what a crash left of the network step; run by xapi-host-guard.service")
    add("settle", "after boot: wait for the confirmation, end the set-up; run by xapi-host-settle.service")
    add("switch", "switch the running network; run by 'apply --switch-network-now'")
    add("switch-back", "take an unconfirmed switch back; run by a timer of 'apply --switch-network-now'")
    return top


def main(argv: Sequence[str] | None = None, *, runner: Runner | None = None) -> int:
    """Run a command; return the exit status. `runner` takes the place of real commands in tests."""
    prepare()
    return finish(_run(argv, runner), unsaid=Exit.ATTENTION)


def _run(argv: Sequence[str] | None, runner: Runner | None) -> int:
    args = vars(parser().parse_args(argv))
    root = args.pop("root")
    command = args.pop("command").replace("-", "_")
    # What is made is for all to read, whatever the operator's shell says.
    os.umask(0o022)
    reporter = Reporter(as_json=args["json"])
    host = Host(root, runner or SystemRunner(root), say=reporter.line)
    try:
        options = Options(asked=gather(args, host), **args)
        return int(getattr(LifeCommands(host, options, reporter), command.replace("-", "_"))())
    except (KronosError, OSError) as error:
        return _failed(error, as_json=args["json"])
    except KeyboardInterrupt:
        said = "interrupted; 'xapi-host-setup status' tells how far it is"
        if args["json"]:
            answer(
                json.dumps({"format": 1, "outcome": "interrupted", "error": said, "problems": []}, indent=2)
            )
        complain(f"xapi-host-setup: {said}")
        return _INTERRUPTED


def _failed(error: KronosError | OSError, *, as_json: bool) -> int:
    """Tell people, and programs by one document on stdout; return the exit status."""
    status = error.exit_status if isinstance(error, KronosError) else Exit.FAILED
    if as_json:
        problems = error.problems if isinstance(error, RefusedError) else ()
        record = {"format": 1, "outcome": _OUTCOMES.get(status, "failed"), "error": str(error),
                  "problems": [problem.to_json() for problem in problems]}  # fmt: skip
        answer(json.dumps(record, indent=2))
    complain(f"xapi-host-setup: {error}")
    return status


if __name__ == "__main__":
    sys.exit(main())
