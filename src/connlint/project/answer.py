"""Answers with three values: what was asked for is there, is known to be missing, or cannot be known."""

from __future__ import annotations

from msgspec import Struct


class Found(Struct, frozen=True):
    """``path`` is the file, relative to the project's root. A Python package is its ``__init__.py``.

    A namespace package has the path of its folder with a trailing slash.
    """

    path: str


class Missing(Struct, frozen=True):
    """Known not to exist. ``tried`` are the places looked at, ``near`` the existing thing that was probably meant."""

    reason: str
    tried: tuple[str, ...] = ()
    near: str | None = None


class Unknown(Struct, frozen=True):
    """Nothing can be said, and nothing is reported.

    ``foreign`` is what others bring (installed packages, the language itself), where nothing of the project is unknown.
    """

    why: str
    foreign: bool = False


Answer = Found | Missing | Unknown
