"""Kronos: the XAPI toolstack on your own distro."""

__version__ = "0.1.0"
# The day of the release, as host.software_version tells it.
__date__ = "2026-11-20"
