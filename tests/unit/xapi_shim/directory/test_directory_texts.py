"""What shadow(5) and Samba's programs say, and what is made of it."""

import pytest

from xapi_shim.directory.interface import Why
from xapi_shim.directory.shadow import AccountState, account_state
from xapi_shim.directory.winbind_text import (
    AdState,
    ad_state,
    attributes,
    basic_line,
    is_domain,
    is_sid,
    is_user,
    last_words,
    name_of,
    sid_of,
    sids_of,
    smb_conf,
    why_failed,
    workgroup_of,
)

TODAY = 20_000
LOOKUP = "Failed to join domain: failed to lookup DC info for domain 'X' over rpc"


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ("$y$x:19000:0:99999:7:::", AccountState()),
        ("!$y$x:19000:0:99999:7:::", AccountState(locked=True)),
        ("*:19000:0:99999:7:::", AccountState()),
        ("$y$x:19000:0:99999:7::20000:", AccountState(expired=True)),
        ("$y$x:19000:0:99999:7::20001:", AccountState()),
        ("$y$x:0:0:99999:7:::", AccountState(password_expired=True)),
        ("$y$x:19000:0:1000:7:::", AccountState()),
        ("$y$x:19000:0:999:7:::", AccountState(password_expired=True)),
        ("$y$x:19000:0:990:7:9::", AccountState(password_expired=True, inactive=True)),
        ("$y$x:19000:0:990:7:10::", AccountState(password_expired=True)),
        ("$y$x::::::-1:", AccountState()),
        ("$y$x", AccountState()),
    ],
)
def test_a_line_of_shadow(fields, state):
    assert account_state(f"alice:{fields}\n", TODAY) == state
    assert state.usable == (not (state.locked or state.expired or state.inactive))


def test_no_line_says_nothing():
    assert account_state("", TODAY) == AccountState()


@pytest.mark.parametrize(
    ("output", "why"),
    [
        (f"{LOOKUP}: The attempted logon is invalid. This is either due to a bad username.", Why.WRONG_CREDENTIALS),
        ("Failed to leave domain: failed to connect to AD: Invalid credentials", Why.WRONG_CREDENTIALS),
        (f"{LOOKUP}: The referenced account is currently disabled and cannot be logged on to.", Why.INVALID_ACCOUNT),
        ("Failed to join domain: failed to precreate account in ou ou=Such,ou=No: No such object", Why.INVALID_OU),
        ("Failed to join domain: Failed to set account flags for machine account (NT_STATUS_ACCESS_DENIED)",
         Why.PERMISSION_DENIED),
        ("Failed to join domain: failed to find DC for domain X - The object was not found.", Why.NO_DOMAIN),
        ("Didn't find the cldap server!", Why.NO_DOMAIN),
        ("failed: NT_STATUS_CONNECTION_REFUSED", Why.UNAVAILABLE),
        ("Something else", Why.OTHER),
        ("", Why.OTHER),
    ],
)  # fmt: skip
def test_why_a_join_failed(output, why):
    assert why_failed(output) is why


def test_the_last_words_of_a_failure():
    noise = "Error reading password from file descriptor 0: empty password"
    assert last_words(f"{noise}\nFailed to join domain: no\n{noise}\n") == "Failed to join domain: no"
    assert last_words(f"{noise}\n") == "it does not say why"


def test_answers_of_winbind():
    sid = "S-1-5-21-944995589-1360614258-2067895327-1104"
    assert sid_of(f"{sid} SID_USER (1)\n") == sid
    assert sid_of("") == sid_of("failed to call wbcLookupName: WBC_ERR_DOMAIN_NOT_FOUND\n") == ""
    assert name_of("ADTEST\\night crew 2\n") == ("ADTEST\\night crew", 2)
    assert name_of("Could not lookup sid\n") == ("", 0)
    assert sids_of(f"{sid}\nS-1-5-32-545\nnoise\n") == {sid, "S-1-5-32-545"}
    assert workgroup_of("Workgroup: ADTEST\n") == "ADTEST"
    assert workgroup_of("Didn't find the cldap server!\n") == ""
    told = "Got 1 replies\n\naccountExpires: 9223372036854775807\nuserAccountControl: 514\n\n"
    assert attributes(told) == {"accountExpires": "9223372036854775807", "userAccountControl": "514"}


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({}, AdState(disabled=False, expired=False, locked=False)),
        ({"userAccountControl": "512"}, AdState(disabled=False, expired=False, locked=False)),
        ({"userAccountControl": "514"}, AdState(disabled=True, expired=False, locked=False)),
        ({"accountExpires": "9223372036854775807"}, AdState(disabled=False, expired=False, locked=False)),
        # 2020-01-01 and 2030-01-01, in units of 100 ns since 1601.
        ({"accountExpires": "132223104000000000"}, AdState(disabled=False, expired=True, locked=False)),
        ({"accountExpires": "135379296000000000"}, AdState(disabled=False, expired=False, locked=False)),
        ({"lockoutTime": "132223104000000000"}, AdState(disabled=False, expired=False, locked=True)),
        ({"userAccountControl": "x"}, AdState(disabled=False, expired=False, locked=False)),
    ],
)
def test_the_state_of_a_domains_account(values, state):
    now_s = 1_750_000_000.0
    assert ad_state(values, now_s) == state
    assert state.usable == (not (state.disabled or state.expired))


def test_what_is_passed_to_programs_is_one_word():
    assert [name for name in ("ad.example.test", "ad", "-x", "a b", "", "a..b", "a_b", "x" * 300) if is_domain(name)] == [
        "ad.example.test", "ad"]  # fmt: skip
    assert [name for name in ("Administrator", "A B", "-x", "a%b", "", "a\nb") if is_user(name)] == [
        "Administrator", "A B"]  # fmt: skip
    assert [sid for sid in ("S-1-5-21-1", "S-1", "--help", "S-1-5-x", "") if is_sid(sid)] == ["S-1-5-21-1"]
    assert basic_line("D\\a b", "p:%\nü") == "D%5Ca%20b p%3A%25%0A%C3%BC\n"
    assert "realm = AD.TEST\nworkgroup = AD\n" in smb_conf("ad.test", "AD")
