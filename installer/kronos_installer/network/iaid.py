"""The DHCP identity association identifier (IAID) that a client makes up from an interface's name.

systemd's sd-dhcp-client, and NetworkManager's internal client after it, hash the name with SipHash-2-4
(Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012) under a key of systemd's own.
"""

from __future__ import annotations

_KEY = bytes.fromhex("80118cc2fe4a03ee3ed60c6f36391409")
_MASK = 0xFFFFFFFFFFFFFFFF


def interface_iaid(name: str) -> int:
    """Return the IAID of the interface `name`, a 32-bit number, as little-endian machines compute it."""
    hashed = siphash24(_KEY, name.encode())
    return (hashed ^ (hashed >> 32)) & 0xFFFFFFFF


def siphash24(key: bytes, data: bytes) -> int:
    """Return the 64-bit SipHash-2-4 of `data` under a key of 16 bytes."""
    k0, k1 = int.from_bytes(key[:8], "little"), int.from_bytes(key[8:], "little")
    state = [
        k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D,
        k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573,
    ]  # fmt: skip
    whole = len(data) - len(data) % 8
    last = data[whole:].ljust(7, b"\0") + bytes([len(data) & 0xFF])
    for start in range(0, whole, 8):
        _absorb(state, int.from_bytes(data[start : start + 8], "little"))
    _absorb(state, int.from_bytes(last, "little"))
    state[2] ^= 0xFF
    for _ in range(4):
        _round(state)
    return state[0] ^ state[1] ^ state[2] ^ state[3]


def _absorb(state: list[int], word: int) -> None:
    state[3] ^= word
    _round(state)
    _round(state)
    state[0] ^= word


def _round(state: list[int]) -> None:
    v0, v1, v2, v3 = state
    v0 = (v0 + v1) & _MASK
    v2 = (v2 + v3) & _MASK
    v1 = _rotate(v1, 13) ^ v0
    v3 = _rotate(v3, 16) ^ v2
    v0 = _rotate(v0, 32)
    v2 = (v2 + v1) & _MASK
    v0 = (v0 + v3) & _MASK
    v1 = _rotate(v1, 17) ^ v2
    v3 = _rotate(v3, 21) ^ v0
    state[:] = [v0, v1, _rotate(v2, 32), v3]


def _rotate(word: int, bits: int) -> int:
    return ((word << bits) | (word >> (64 - bits))) & _MASK
