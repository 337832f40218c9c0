"""Names and passwords checked by PAM, in threads of their own: PAM may block for seconds."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from xapi_shim.base.paths import PAM_SERVICE

# More than pool.local_auth_max_threads and ext_auth_max_threads let in at once.
MAX_THREADS = 128
MAX_LENGTH = 512


class PamLogin:
    """An Authenticator over PAM's service `xapi` (pam(8): authenticate, then account)."""

    def __init__(self) -> None:
        self._threads = _pool(MAX_THREADS)

    def set_threads(self, count: int) -> None:
        """Check so many passwords at once from now on; those at work are finished."""
        old, self._threads = self._threads, _pool(count)
        old.shutdown(wait=False)

    async def __call__(self, user: str, password: str) -> bool:
        if len(user) > MAX_LENGTH or len(password) > MAX_LENGTH:
            return False
        return await asyncio.get_running_loop().run_in_executor(self._threads, _check, user, password)


def _pool(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, thread_name_prefix="pam")


def _check(user: str, password: str) -> bool:
    # Imported here: the module needs libpam, which a laptop with the simulator may lack.
    import pam

    return bool(pam.pam().authenticate(user, password, service=PAM_SERVICE))
