"""Programs of others: host.call_plugin and the extensions that serve messages we do not declare.

A plugin is `/etc/xapi.d/plugins/NAME`: its first argument is an XML-RPC call of a function
with a session's ref and a struct, its output an XML-RPC response whose value is a struct
with Status. An extension is `/etc/xapi.d/extensions/CLASS.MESSAGE`: it gets `--xmlrpc`, the
whole call on its standard input, and answers in the same form.
"""

from __future__ import annotations

import json
import os
import re
import xmlrpc.client
from typing import TYPE_CHECKING, cast
from xml.parsers.expat import ExpatError

from xapi_shim import plugin as plugin_modules
from xapi_shim.base.process import run_async
from xapi_shim.datamodel.errors import (
    ExtensionProtocolFailureError,
    InvalidValueError,
    MessageMethodUnknownError,
    XenAPIError,
    XenapiMissingPluginError,
    XenapiPluginFailureError,
)

if TYPE_CHECKING:
    from pathlib import Path

    from xapi_shim.api.toolstack import Call

MODULES_OF_PLUGINS = os.path.dirname(plugin_modules.__file__)  # noqa: PTH120 -- text for an environment
# No path, no hidden file: what a client names stays inside the folder, and is no longer than a name can be.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,254}")


class OthersError(XenAPIError):
    """An error code that a program of others chose."""

    def description(self) -> list[str]:
        return list(self.params)


def find_program(folder: Path, name: str) -> Path | None:
    """Return the executable `name` of `folder`, None where there is none."""
    path = folder / name
    if not _NAME.fullmatch(name) or not path.is_file() or not os.access(path, os.X_OK):
        return None
    return path


def parse_answer(text: str) -> object:
    """Return the Value of a response. Raises OthersError for a Failure, ValueError for no response."""
    try:
        (answer,), _ = xmlrpc.client.loads(text)
    except (xmlrpc.client.Error, ExpatError, ValueError, TypeError) as error:
        raise ValueError(f"not an XML-RPC response: {error}") from error
    match answer:
        case {"Status": "Success", "Value": value}:
            return value
        case {"Status": "Failure", "ErrorDescription": [*description]} if description:
            raise OthersError(*map(str, description))
        case _:
            raise ValueError("a response without Status")


async def call_plugin(call: Call, host: str, plugin: str, fn: str, args: dict[str, str]) -> str:  # noqa: ARG001
    """Run `fn` of a plugin with a session of its own, and return the text that it answers.

    Raises XENAPI_MISSING_PLUGIN [name], XENAPI_PLUGIN_FAILURE [what; output; errors], and the
    plugin's own errors.
    """
    program = find_program(call.tools.paths.plugins, plugin)
    if program is None:
        raise XenapiMissingPluginError(plugin)
    sessions = call.tools.sessions
    session = sessions.open_child(call.info.session, "plugin")
    try:
        request = xmlrpc.client.dumps((session, args), fn)
        # Where plugins find XenAPIPlugin, and that finds us.
        env = {"PYTHONPATH": MODULES_OF_PLUGINS, "XAPI_SOCKET": os.fspath(call.tools.paths.unix_socket)}
        done = await run_async([program, request], env=env, check=False)
    except OSError as error:
        raise XenapiPluginFailureError("cannot run", "", str(error)) from error
    finally:
        if sessions.alive(session):
            sessions.close(session)
    if done.returncode != 0:
        raise XenapiPluginFailureError("non-zero exit", done.stdout, done.stderr)
    try:
        return str(parse_answer(done.stdout))
    except ValueError as error:
        raise XenapiPluginFailureError(str(error), done.stdout, done.stderr) from error


async def run_extension(folder: Path, name: str, params: list[object]) -> object:
    """Return what the extension `name` answers.

    Raises MESSAGE_METHOD_UNKNOWN [name], EXTENSION_PROTOCOL_FAILURE [what], the extension's own errors.
    """
    program = find_program(folder, name)
    if program is None:
        raise MessageMethodUnknownError(name)
    request = xmlrpc.client.dumps(cast("tuple[str, ...]", tuple(params)), name)
    try:
        done = await run_async([program, "--xmlrpc"], stdin=request, check=False)
        if done.returncode != 0:
            raise ExtensionProtocolFailureError(f"{name} ended with status {done.returncode}")
        return parse_answer(done.stdout)
    except (OSError, ValueError) as error:
        raise ExtensionProtocolFailureError(str(error)) from error


async def has_extension(call: Call, host: str, name: str) -> bool:  # noqa: ARG001
    return find_program(call.tools.paths.extensions, name) is not None


async def call_extension(context: Call, host: str, call: str) -> str:  # noqa: ARG001
    """Run the extension that a JSON-RPC call names; return what it answers, as JSON."""
    try:
        sent = json.loads(call)
        name, params = str(sent["method"]), list(sent["params"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InvalidValueError("call", call[:256]) from error
    return json.dumps(await run_extension(context.tools.paths.extensions, name, params))


MESSAGES = {
    "host.call_plugin": call_plugin,
    "host.has_extension": has_extension,
    "host.call_extension": call_extension,
}
