"""What a VM's memory costs, and the most that fits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xapi_shim.api.vm_memory import largest_memory
from xapi_shim.api.vm_shares import parse_share, scheduling_of
from xapi_shim.datamodel.errors import InvalidValueError
from xapi_shim.xen.interface import DomainType, Scheduling
from xapi_shim.xen.xl_config import MIB, domain_memory_bytes


@given(st.integers(0, 1 << 42), st.integers(1, 128), st.sampled_from([DomainType.PV, DomainType.PVH]))
def test_the_most_fits_and_more_does_not(total, vcpus, kind):
    most = largest_memory(kind, total, vcpus)
    assert most % MIB == 0
    if most:
        assert domain_memory_bytes(kind, most, most, vcpus) <= total
    assert domain_memory_bytes(kind, most + MIB, most + MIB, vcpus) > total


def test_shares():
    assert scheduling_of({"weight": "512", "cap": "0", "mask": "3,1,3", "x": "y"}) == Scheduling(
        512, 0, (3, 1)
    )
    assert scheduling_of({"weight": "many", "mask": "1,,2", "cap": "²"}) == Scheduling()
    for key, value in (("weight", "65536"), ("cap", "65536"), ("mask", "1-3"), ("other", "1")):
        with pytest.raises(InvalidValueError):
            parse_share(key, value)
