"""Files that hold no word of a rule, but borrow a constant from one that does.

A constant with a loopback address may stand in one file and be the fallback of a read in another. A card whose sieve
has an alternative that starts with the group ``["@imported"]`` wants that: a file that meets the rest of the
alternative, names something that stands beside the words of the card's first group in a file that passed, and imports
that file, directly or through a barrel.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import PurePosixPath

from connlint.cards import Card
from connlint.discover import PYTHON
from connlint.patterns import regex
from connlint.session import Scanned, Session, is_python
from connlint.sieve import IMPORTED, names_beside

_BARRELS = ("index", "__init__")
_WORD = regex(rb"[\w$]+")


def with_borrowers(scanned: list[Scanned], wanted: list[tuple[str, tuple[str, ...]]],
                    session: Session) -> list[tuple[str, tuple[str, ...]]]:
    """``wanted`` (paths with the ids of the cards that look at them), and the files that borrow from those."""
    extra: dict[str, list[str]] = {}
    for card in session.sieve.cards:
        for alternative in card.sieve:
            if alternative and alternative[0] == (IMPORTED,):
                for path in _borrowers(scanned, card, alternative[1:], session):
                    extra.setdefault(path, []).append(card.id)
    if not extra:
        return wanted
    have = dict(wanted)
    for path, ids in extra.items():
        have[path] = (*have.get(path, ()), *ids)
    return sorted(have.items())


def _borrowers(scanned: list[Scanned], card: Card, groups: tuple[tuple[str, ...], ...], session: Session) -> list[str]:
    words = [word.removeprefix("py:").removeprefix("js:").encode() for word in card.sieve[0][0]]
    names = _constants([row.path for row in scanned if card.id in row.cards], words, session)
    if session.reported is None:
        _with_derived(names, scanned, session)
        barrels = [row for row in scanned if row.modules and _name(row.path) in _BARRELS]
        for _ in range(2):
            for row in barrels:
                if _stem(row.path) not in names:
                    through = [names[last] for module in row.modules if (last := _last(row.path, module)) in names]
                    if through:
                        names[_stem(row.path)] = set().union(*through)
    found = []
    for row in scanned:
        if card.id in row.cards or row.set_aside or row.problem or not row.modules:
            continue
        near = [(module, last) for module in row.modules if (last := _last(row.path, module)) in names]
        if not (near or session.reported):
            continue
        data = session.tree.read(row.path) or b""
        if not session.sieve.meets(groups, data, python=is_python(row.path), modules=row.modules):
            continue
        if not session.speaks(card.id, row.path):
            continue
        held = set(_WORD.findall(data)) if near else set()
        if any(not names[last].isdisjoint(held) and _is_ours(row.path, module, session) for module, last in near):
            found.append(row.path)
        elif session.reported and _takes_constants(row.path, data, words, session):
            found.append(row.path)
    return found


def _constants(paths: list[str], words: list[bytes], session: Session) -> dict[str, set[bytes]]:
    """Names that stand beside one of ``words`` outside of functions, by what others call the file."""
    if not paths:
        return {}
    from connlint.project.suspects import suspects

    names: dict[str, set[bytes]] = {}
    for path in paths:
        if data := session.tree.read(path):
            if beside := names_beside(words, data, suspects(session.project).outside(path)):
                names.setdefault(_stem(path), set()).update(beside)
    return names


def _with_derived(names: dict[str, set[bytes]], scanned: list[Scanned], session: Session) -> None:
    """Add the constants that are made of those in ``names``, one file further on: ``f"http://{LOOPBACK}:8080"``.

    Only what is written as constants are counts: the names of everything else are too common to look for.
    """
    from connlint.project.suspects import suspects

    derived: dict[str, set[bytes]] = {}
    for row in scanned:
        near = {last for module in row.modules or () if (last := _last(row.path, module)) in names}
        if not near or row.set_aside or row.problem or _stem(row.path) in near:
            continue
        data = session.tree.read(row.path) or b""
        held = [name for last in near for name in names[last] if name in data]
        beside = names_beside(held, data, suspects(session.project).outside(row.path)) if held else set()
        if constants := {name for name in beside if name.isupper()}:
            derived.setdefault(_stem(row.path), set()).update(constants)
    for stem, found in derived.items():
        names.setdefault(stem, set()).update(found)


def _takes_constants(path: str, data: bytes, words: list[bytes], session: Session) -> bool:
    """Whether a file that was named alone mentions a constant of one that it imports, which nobody has scanned."""
    from connlint.project.importers import importers

    near = importers(session.project).behind(path)
    names = set().union(*_constants([p for p in near if any(word in (session.tree.read(p) or b"") for word in words)],
                                    words, session).values())
    return any(name in data for name in names)


def _is_ours(path: str, module: str, session: Session) -> bool:
    """Whether an imported module, or a name imported from the file's own package, is a file of the project."""
    python = path.endswith(PYTHON)
    linker = session.linkers["python" if python else "javascript"]
    if linker.target(path, module) is not None:
        return True
    return python and "." not in module and linker.target(path, "." + module) is not None


def _stem(path: str) -> str:
    """How other files call this one: the folder's name for a barrel."""
    name = _name(path)
    return path.rpartition("/")[0].rpartition("/")[2] if name in _BARRELS else name


def _name(path: str) -> str:
    """The name of a file of code without its suffix."""
    return path[path.rfind("/") + 1 :].rpartition(".")[0]


def _last(path: str, module: str) -> str:
    """The last part of a module specifier in ``path``, without its suffix: what `_stem` is compared with."""
    # what is relative may be called by a folder above the file; the same few others are imported everywhere
    return _last_of(path.rpartition("/")[0] if module.startswith(".") else "", module)


@lru_cache(maxsize=1 << 16)
def _last_of(folder_of_file: str, module: str) -> str:
    last = module.rstrip("/").rpartition("/")[2] if "/" in module else module
    head, dot, tail = last.rpartition(".")
    if module.startswith(".") and (last.strip(".") == "" or (head or tail) in _BARRELS):
        # ``'.'``, ``'..'`` and ``'./index'`` are called by the name of their folder
        folder = PurePosixPath(folder_of_file)
        for part in module.split("/"):
            if part == "..":
                folder = folder.parent
            elif part.strip(".") and part != last:
                folder /= part
        return folder.name
    if "/" in module:
        # only JavaScript has slashes, and ``./app.config`` may be ``app.config.ts``
        return head if dot and tail in ("js", "ts", "mjs", "cjs", "jsx", "tsx", "vue", "svelte") else last
    return tail
