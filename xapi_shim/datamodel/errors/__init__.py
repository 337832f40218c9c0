"""Every XenAPI error code as a class; import them from here."""

from __future__ import annotations

from xapi_shim.datamodel.errors.access import *  # noqa: F403
from xapi_shim.datamodel.errors.base import SrBackendFailureError as SrBackendFailureError
from xapi_shim.datamodel.errors.base import XenAPIError as XenAPIError
from xapi_shim.datamodel.errors.general import *  # noqa: F403
from xapi_shim.datamodel.errors.host_1 import *  # noqa: F403
from xapi_shim.datamodel.errors.host_2 import *  # noqa: F403
from xapi_shim.datamodel.errors.host_3 import *  # noqa: F403
from xapi_shim.datamodel.errors.network import *  # noqa: F403
from xapi_shim.datamodel.errors.storage import *  # noqa: F403
from xapi_shim.datamodel.errors.vm_1 import *  # noqa: F403
from xapi_shim.datamodel.errors.vm_2 import *  # noqa: F403
