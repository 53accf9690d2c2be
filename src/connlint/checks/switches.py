"""Variables that say whether something is used at all."""

from __future__ import annotations

from connlint.checks.optional_clients import OFF
from connlint.model.deployment import Known
from connlint.project.stage import words_of

_SWITCHES = frozenset(("enabled", "enable", "use", "with", "active", "on"))
_UNSWITCHES = frozenset(("disabled", "disable", "without", "skip", "no"))
_ON = frozenset(("1", "true", "yes", "on"))


def is_switched_off(name: str, environment: dict[str, Known]) -> bool:
    """Whether another variable that is set beside ``name`` says that what it belongs to is not used: ``REDIS=false``
    or ``USE_REDIS=0`` beside ``REDIS_HOST``, a queue that does at once what it is given beside its broker."""
    words = words_of(name)
    for other, known in environment.items():
        value = known.value.lower() if known.value is not None else None
        if (value not in _ON and value not in OFF) or other == name:
            continue
        theirs = words_of(other)
        if value in _ON and "eager" in theirs and theirs[0] == words[0]:
            return True
        kept = tuple(word for word in theirs if word not in _SWITCHES)
        if value in OFF and value and kept and kept == words[:len(kept)] and len(kept) < len(words):
            return True
        kept = tuple(word for word in theirs if word not in _UNSWITCHES)
        if value in _ON and len(kept) < len(theirs) and kept and kept == words[:len(kept)]:
            return True
    return False
