"""When people are told that a certificate expires."""

from datetime import UTC, datetime

import pytest

from xapi_shim.api.certificate_expiry import warning

NOW = datetime(2020, 2, 1, 2, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("not_after", "name", "priority"),
    [
        ("20210202T02:00:00Z", None, None),
        ("20200302T02:00:01Z", None, None),
        ("20200302T02:00:00Z", "HOST_SERVER_CERTIFICATE_EXPIRING_30", 4),
        ("20200216T02:00:00Z", "HOST_SERVER_CERTIFICATE_EXPIRING_30", 4),
        ("20200216T01:59:59Z", "HOST_SERVER_CERTIFICATE_EXPIRING_14", 3),
        ("20200209T02:00:00Z", "HOST_SERVER_CERTIFICATE_EXPIRING_14", 3),
        ("20200209T01:59:59Z", "HOST_SERVER_CERTIFICATE_EXPIRING_07", 2),
        ("20200201T02:00:00Z", "HOST_SERVER_CERTIFICATE_EXPIRING_07", 2),
        ("20200201T01:59:59Z", "HOST_SERVER_CERTIFICATE_EXPIRED", 1),
    ],
)
def test_people_are_told_in_good_time(not_after, name, priority):
    told = warning("host", not_after, NOW)
    if name is None:
        assert told is None
    else:
        assert (told.name, told.priority) == (name, priority)
        assert told.body.endswith(f"<date>{not_after}</date></body>")


@pytest.mark.parametrize(
    ("kind", "stem"),
    [("host_internal", "HOST_INTERNAL"), ("ca", "POOL_CA"), ("pinned", "POOL_PINNED")],
)
def test_each_type_has_its_own_name(kind, stem):
    assert warning(kind, "20200101T00:00:00Z", NOW).name == f"{stem}_CERTIFICATE_EXPIRED"
