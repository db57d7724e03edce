"""A Merkle tree over a list that only grows (RFC 6962, section 2.1), kept by its right edge.

The edge is one hash for each full subtree, the largest first: all that is needed to go on.
"""

from __future__ import annotations

import hashlib


def leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """The tree of the first `size` leaves."""

    def __init__(self, size: int = 0, edge: list[bytes] | None = None) -> None:
        self.size = size
        self.edge = list(edge or [])

    def add(self, leaf: bytes) -> None:
        self.edge.append(leaf_hash(leaf))
        self.size += 1
        size = self.size
        while size % 2 == 0:
            right, left = self.edge.pop(), self.edge.pop()
            self.edge.append(node_hash(left, right))
            size //= 2

    @property
    def root(self) -> bytes:
        if not self.edge:
            return hashlib.sha256().digest()
        *rest, root = self.edge
        for left in reversed(rest):
            root = node_hash(left, root)
        return root
