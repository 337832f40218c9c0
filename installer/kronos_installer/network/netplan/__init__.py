"""netplan: its YAML files as a whole, and how they put the management addresses on a bridge."""

from kronos_installer.network.netplan.config import NetplanConfig, read_netplan

__all__ = ["NetplanConfig", "read_netplan"]
