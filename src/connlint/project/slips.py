"""Slips of the pen: whether one name is surely what was meant by another that does not exist."""

from __future__ import annotations


def is_slip(written: str, meant: str) -> bool:
    """Whether the two differ by one letter that is wrong, missing, added or in the other's place, or in how words are
    joined: ``load_setings``, ``roundedd``, ``getuser`` for ``getUser``. One that differs more may be another thing."""
    if written == meant:
        return False
    one, other = _plain(written), _plain(meant)
    if one == other:
        return True
    if len(one) > len(other):
        one, other = other, one
    if len(other) - len(one) > 1 or len(one) < 3:
        return False
    start = next((i for i in range(len(one)) if one[i] != other[i]), len(one))
    if len(one) < len(other):
        return one[start:] == other[start + 1:]
    swapped = one[start:start + 2] == other[start:start + 2][::-1] and one[start + 2:] == other[start + 2:]
    return swapped or one[start + 1:] == other[start + 1:]


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()
