"""Class vdi_nbd_server_info."""

from __future__ import annotations

from xapi_shim.datamodel.declare import written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.LOCAL_ROOT)

FIELDS: tuple[Field, ...] = (
    dynamic("exportname", "string", "The name to ask the server for.", since="inverness"),
    dynamic("address", "string", "The server's address.", since="inverness"),
    dynamic("port", "int", "The server's TCP port.", since="inverness"),
    dynamic("cert", "string", "The server's certificate, in PEM.", since="inverness"),
    dynamic("subject", "string", "A name that is in the certificate.", since="inverness"),
)

MESSAGES: tuple[Message, ...] = ()

CLASS = ApiClass(
    "vdi_nbd_server_info",
    "How a client reads one disk over NBD.",
    FIELDS,
    MESSAGES,
    since="inverness",
    in_database=False,
    persist=False,
    events=False,
    lists_all=False,
)
