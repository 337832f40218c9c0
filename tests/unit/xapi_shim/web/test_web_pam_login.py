"""How many passwords are checked at once."""

import pytest

from xapi_shim.web.pam_login import PamLogin


async def test_the_number_of_threads_is_chosen_anew():
    login = PamLogin()
    former = login._threads
    login.set_threads(2)
    assert login._threads._max_workers == 2
    # What is at work there is finished, and no more is begun.
    with pytest.raises(RuntimeError):
        former.submit(print)
    assert not await login("a" * 600, "x")
