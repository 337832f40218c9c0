"""systemd-networkd: its units as files, what they match, and how they put the management addresses on a bridge."""

from kronos_installer.network.networkd.config import NetworkdConfig, read_networkd

__all__ = ["NetworkdConfig", "read_networkd"]
