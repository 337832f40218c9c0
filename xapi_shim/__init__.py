"""Kronos: the XAPI toolstack on your own distro."""

__version__ = "0.1.0"
