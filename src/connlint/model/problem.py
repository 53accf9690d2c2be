"""What could not be read."""

from __future__ import annotations

from msgspec import Struct

from connlint.model.source import Span


class Problem(Struct, eq=False):
    """Something that could not be read. ``kind``: "syntax", "encoding", "unreadable", "too-deep", "config", …"""

    kind: str
    message: str
    path: str
    at: Span | None = None
