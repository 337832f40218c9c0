"""Hosts of a pool among themselves: how they reach one another, the members' replicas, calls passed on."""
