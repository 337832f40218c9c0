"""Where updates are to come from: repositories by name, and the proxy on the way."""

import pytest
from certificates import DAY, Authority, rsa_key

URL = "https://updates.example/base"


@pytest.fixture
def pool(api):
    (pool,) = api.pool.get_all()
    return pool


def introduce(api, name="base", url=URL, source="", key=""):
    return api.Repository.introduce(name, "notes", url, source, True, key)


def test_a_repository_is_named_used_and_forgotten(api, pool, refused):
    ref = introduce(api, source="http://src.example:8080/", key="RPM-GPG-KEY")
    record = api.Repository.get_record(ref)
    assert (record["binary_url"], record["origin"], record["update"], record["gpgkey_path"]) == (
        URL, "remote", True, "RPM-GPG-KEY")  # fmt: skip
    assert refused("REPOSITORY_ALREADY_EXISTS", introduce, api, "base", "https://other.example")[1:] == [ref]
    assert refused("REPOSITORY_ALREADY_EXISTS", introduce, api, "other")[1:] == [ref]
    api.pool.add_repository(pool, ref)
    api.pool.add_repository(pool, ref)
    assert api.pool.get_repositories(pool) == [ref]
    assert refused("REPOSITORY_IS_IN_USE", api.Repository.forget, ref)[1:] == []
    api.pool.remove_repository(pool, ref)
    api.pool.set_repositories(pool, [ref])
    api.pool.set_repositories(pool, [])
    api.Repository.forget(ref)
    assert api.Repository.get_all() == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://x",
        "https://",
        "https:///path",
        "https://a b",
        "https://a\n.b",
        "x",
        "http://[::1",
        "http://a:99999",
    ],
)
def test_what_is_no_url_is_refused(api, refused, url):
    assert refused("INVALID_BASE_URL", introduce, api, "base", url)[1:] == [url]
    if url:
        assert refused("INVALID_BASE_URL", introduce, api, "base", URL, url)[1:] == [url]


def test_a_key_is_a_files_name(api, refused):
    ref = introduce(api)
    for wrong in ("../key", "/etc/passwd", ".hidden", "a b"):
        assert refused("INVALID_GPGKEY_PATH", api.Repository.set_gpgkey_path, ref, wrong)[1:] == [wrong]
        assert refused("INVALID_GPGKEY_PATH", introduce, api, "other", "https://o.example", "", wrong)[
            1:
        ] == [wrong]
    api.Repository.set_gpgkey_path(ref, "key.asc")
    assert api.Repository.get_gpgkey_path(ref) == "key.asc"


def test_bundles_fill_one_repository(api, refused):
    ref = api.Repository.introduce_bundle("bundle", "")
    assert api.Repository.get_origin(ref) == "bundle"
    assert refused("BUNDLE_REPOSITORY_ALREADY_EXISTS", api.Repository.introduce_bundle, "b", "")[1:] == [ref]
    assert refused("REPOSITORY_ALREADY_EXISTS", api.Repository.introduce_bundle, "bundle", "")[1:] == [ref]


def test_another_pool_is_known_by_its_certificate(api, refused):
    authority = Authority()
    ref = api.Repository.introduce_remote_pool("remote", "", "https://pool.example/", authority.pem)
    assert api.Repository.get_certificate(ref) == authority.pem
    make = api.Repository.introduce_remote_pool
    assert refused("INVALID_BASE_URL", make, "r", "", "http://pool.example/", authority.pem)[1:]
    refused("TRUSTED_CERTIFICATE_INVALID", make, "r", "", "https://p.example/", "x")
    late = authority.sign(rsa_key(), "l", starts=-2 * DAY, ends=-DAY)
    assert len(refused("TRUSTED_CERTIFICATE_EXPIRED", make, "r", "", "https://p.example/", late)) == 3


def test_a_proxys_password_is_a_secret(api, pool, refused):
    configure = api.pool.configure_repository_proxy
    for wrong in ("", "socks://p.example", "http://user:word@p.example"):
        assert refused("INVALID_REPOSITORY_PROXY_URL", configure, pool, wrong, "", "")[1:] == [wrong]
    for name, word in (("u", ""), ("", "p"), ("u\n", "p")):
        refused("INVALID_REPOSITORY_PROXY_CREDENTIAL", configure, pool, "http://p.example", name, word)
    configure(pool, "http://p.example:3128", "u", "first")
    configure(pool, "http://p.example:3128", "u", "second")
    (secret,) = api.secret.get_all()
    assert api.pool.get_repository_proxy_password(pool) == secret
    assert api.secret.get_value(secret) == "second"
    api.pool.disable_repository_proxy(pool)
    assert (api.pool.get_repository_proxy_url(pool), api.secret.get_all()) == ("", [])


@pytest.mark.parametrize(
    ("at_work", "code"),
    [
        ("cert_refresh", "CERT_REFRESH_IN_PROGRESS"),
        ("configure_repositories", "CONFIGURE_REPOSITORIES_IN_PROGRESS"),
        ("tls_verification_enable", "TLS_VERIFICATION_ENABLE_IN_PROGRESS"),
    ],
)
def test_the_pool_does_one_thing_at_a_time(running, api, pool, refused, at_work, code):
    (host,) = api.host.get_all()
    offered = ["cert_refresh", "configure_repositories", "tls_verification_enable"]
    assert api.pool.get_allowed_operations(pool) == offered
    db = running.daemon.tools.db
    running.do(lambda: db.set("pool", pool, "current_operations", {"OpaqueRef:task": at_work}))
    asking = [
        lambda: api.host.refresh_server_certificate(host),
        lambda: api.pool.set_repositories(pool, []),
        api.pool.enable_tls_verification,
    ]
    for ask in asking:
        assert refused(code, ask)[1:] == []
    running.do(lambda: db.set("pool", pool, "current_operations", {}))
    for ask in asking:
        ask()
    assert api.pool.get_current_operations(pool) == {}
    assert api.pool.get_allowed_operations(pool) == offered[:2]
