"""Class Certificate."""

from __future__ import annotations

from xapi_shim.datamodel.declare import written_by
from xapi_shim.datamodel.model import ApiClass, Field, Message, Role

rw, static, dynamic = written_by(Role.READ_ONLY)

FIELDS: tuple[Field, ...] = (
    dynamic(
        "uuid",
        "string",
        "Identity that stays the same for good.",
        since="stockholm",
        write_role=Role.POOL_ADMIN,
    ),
    dynamic("name", "string", "Its name, if it is an authority's.", default="", since="1.294.0"),
    dynamic("type", "enum(certificate_type)", "Whose certificate it is.", default="host", since="1.294.0"),
    static("host", "ref(host)", "The host it is installed on.", default="OpaqueRef:NULL", since="stockholm"),
    static(
        "not_before", "datetime", "When it begins to hold.", default="19700101T00:00:00Z", since="stockholm"
    ),
    static(
        "not_after", "datetime", "When it ceases to hold.", default="19700101T00:00:00Z", since="stockholm"
    ),
    static(
        "fingerprint",
        "string",
        "Its hash by SHA-256, as ever.",
        default="",
        since="stockholm",
        state="deprecated",
    ),
    static(
        "fingerprint_sha256",
        "string",
        "Its hash by SHA-256.",
        default="",
        since="24.20.0",
        state="prototyped",
    ),
    static(
        "fingerprint_sha1", "string", "Its hash by SHA-1.", default="", since="24.20.0", state="prototyped"
    ),
    static(
        "purpose",
        "set(enum(certificate_purpose))",
        "What it is trusted for.",
        default=[],
        since="26.13.0",
        state="prototyped",
    ),
)

MESSAGES: tuple[Message, ...] = ()

CLASS = ApiClass(
    "Certificate",
    "A certificate installed on a host.",
    FIELDS,
    MESSAGES,
    since="stockholm",
)
