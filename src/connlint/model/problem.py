"""What could not be read."""

from __future__ import annotations

from dataclasses import dataclass

from connlint.model.source import Span


@dataclass(slots=True, eq=False)
class Problem:
    """Something that could not be read. ``kind``: "syntax", "encoding", "unreadable", "too-deep", "config", …"""

    kind: str
    message: str
    path: str
    at: Span | None = None
