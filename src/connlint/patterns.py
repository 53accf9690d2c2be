"""Regular expressions that are compiled when they are first used.

There are two hundred of them. A hook that looks at one file needs a few, and would wait for all.
"""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast

_METHODS = ("match", "search", "fullmatch", "finditer", "findall", "sub", "subn", "split", "pattern", "flags",
            "groups", "groupindex")


class _Waiting:
    """A pattern that has not been needed yet; the first method asked for compiles it and puts all of them in place."""

    __slots__ = ("_args", *_METHODS)

    def __init__(self, *args: Any) -> None:
        self._args = args

    def __getattr__(self, name: str) -> Any:
        if name not in _METHODS:
            raise AttributeError(name)
        compiled = re.compile(*self._args)
        for method in _METHODS:
            setattr(self, method, getattr(compiled, method))
        return getattr(compiled, name)


def regex(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """What `re.compile` returns, or something that behaves like it and has not been compiled yet.

    An error in ``text`` shows at the first use; `tests/test_patterns.py` uses all that stand in modules.
    """
    return cast("re.Pattern[AnyStr]", _Waiting(text, flags))
