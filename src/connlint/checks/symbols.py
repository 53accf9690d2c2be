"""Imports of names and modules that the project does not have; what an import means, its language's linker says."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from connlint.model.finding import Draft, Level, Place, Step
from connlint.patterns import regex
from connlint.project.answer import Found, Missing
from connlint.project.linker import ImportUse, Linker, UsedName
from connlint.project.slips import is_slip

_NOT_RUN = regex(
    r"(?:^|/)(?:(?:[\w-]+-)?test-?data|test_data|(?:[\w-]+-)?fixtures?|__fixtures__|__snapshots__|templates?|cookiecutters?|vendor|vendored|_vendor"
    r"|third_party|third-party|\.semgrep|node_modules|site-packages)/"
    r"|_(?:GUIDE|EXAMPLES?|TEMPLATE|SNIPPETS?|INSTRUCTIONS|HOWTO|TUTORIAL)\.(?:py|[cm]?[jt]sx?)$"
    r"|[.-](?=[0-9a-f]*\d)[0-9a-f]{8}\.[cm]?js$"
    r"|\{\{|\{%|[_.-]template\.[cm]?[jt]sx?$"
    r"|(?:^|/)(?:old|_old|bak|attic|graveyard|(?:[\w-]*[-_])?20\d{6}[-_]\d{4,6})/"
    r"|(?:^|/)(?:tests?|testing)/(?:data|input|inputs)/"
    r"|(?:^|/)(?:tests?|__tests__|testing)/(?:.*/)?(?:bad|broken|invalid)[_-][^/]*$"
)
"""Code that is data, or was put aside: nobody runs it where it stands."""

_AWAY = regex(r"(?i)(?:^|/)(?:archived?|backups?|deprecated)(?:[-_.][^/]*)?/")
_PYTHON = (".py", ".pyi", ".pyw", ".ipynb")
_OUTCOMES = {"use": "symbol-at-use", "check": "symbol-unused", "nothing": "symbol-unread"}


def faults(linker: Linker, path: str, data: bytes) -> Iterator[Draft]:
    """What the file ``path`` imports in vain.

    Outcomes: "symbol" (a name in an import that fails while the file is loaded; "symbol-bundled" in JavaScript, where
    what builds it may tell as well), "symbol-at-use" (one that fails when it is used or its function is called),
    "symbol-unread" (the same in JavaScript, where nothing uses it), "symbol-unused" (one that only the type checker
    misses), "member" (a member of an imported module), "module", and "module-unused" (which only the type checker
    misses). Slots: ``name``, ``module`` (as written), ``where`` (the file that lacks the name) and ``hint``, which is
    empty or starts with ";".
    """
    if _NOT_RUN.search(path):
        return
    seen: set[tuple[int, str]] = set()
    for use in linker.imports(path, data):
        if use.settled or use.excused is not None:
            continue
        target = linker.resolve(path, use.module)
        if isinstance(target, Missing):
            if (use.module_at[0], use.module) not in seen:
                seen.add((use.module_at[0], use.module))
                yield _module(linker, path, data, use, target)
            continue
        if not isinstance(target, Found):
            continue
        for used in use.names:
            answer = linker.lookup(path, use, used.name)
            if isinstance(answer, Missing) and (used.at[0], used.name) not in seen:
                seen.add((used.at[0], used.name))
                yield _symbol(linker, path, data, use, used, target, answer)


def _module(linker: Linker, path: str, data: bytes, use: ImportUse, answer: Missing) -> Draft:
    from connlint.project.corrections import other_module

    hint, fix = "", None
    if answer.near and linker.resolve(path, answer.near) != Found(path):  # nobody means the file itself
        case = " Only the case of letters differs" if answer.near.lower() == use.module.lower() else ""
        hint = f"; did you mean '{answer.near}'?{case}"
        # Python's `import a.b` is spelled out wherever it is used
        slip = is_slip(use.module, answer.near) and (use.names or not path.endswith(".py"))
        if (slip or _has_moved(linker, path, use, answer.near)) and not _is_copied(linker, path, answer.near) and not (
                _is_put_away(linker, path, answer.near)):
            fix = other_module(path, data, use.module_at, use.module, answer.near)
    slots = {"name": use.module, "module": use.module, "where": answer.tried[0] if answer.tried else "", "hint": hint}
    # what is imported and not used is left out by what builds the file, and refused by the type checker alone
    outcome = "module-unused" if use.breaks == "check" else "module"
    level: Level | None = "warning" if use.breaks == "use" else None
    return Draft(outcome, Place(path, use.module_at), slots, use.module, fix=fix, level=level)


def _has_moved(linker: Linker, path: str, use: ImportUse, near: str) -> bool:
    """Whether ``near``, another module of the same name, is the missing one in another folder: it defines every name
    that is imported."""
    last = [name.rpartition("/" if "/" in name else ".")[2] for name in (use.module, near)]
    there = replace(use, module=near)
    return last[0] == last[1] and bool(use.names) and all(
        used.in_import and isinstance(linker.lookup(path, there, used.name), Found) for used in use.names)


def _is_copied(linker: Linker, path: str, near: str) -> bool:
    """Whether a file of the same name stands beside the module ``near``: then ``path`` is a copy that is left of it."""
    there = linker.resolve(path, near)
    folder = there.path.rpartition("/")[0] if isinstance(there, Found) else ""
    here, _, name = path.rpartition("/")
    return bool(folder) and folder != here and f"{folder}/{name}" in linker.tree.paths


def _is_put_away(linker: Linker, path: str, near: str) -> bool:
    """Whether the file, or the module ``near`` that it may mean, lies in a folder of what is kept and not used."""
    there = linker.resolve(path, near)
    return any(_AWAY.search(one) for one in (path, there.path if isinstance(there, Found) else ""))


def _is_a_type(linker: Linker, target: str, name: str) -> bool:
    """Whether a module of TypeScript declares a name for a type alone, which nobody can use as a value."""
    declared = rb"\b(?:type|interface)\s+%s\b" % re.escape(name.encode())
    return not target.endswith(_PYTHON) and re.search(declared, linker.tree.read(target) or b"") is not None


def _is_near(place: str, target: str) -> bool:
    """Whether the file ``place`` belongs to the package of ``target`` or stands beside it: further off, something else
    may have the same name."""
    package = target.rstrip("/").removesuffix("/__init__.py").rpartition("/")[0]
    return not package or place.startswith(f"{package}/")


def _what_it_is_called(path: str) -> str:
    """The name of a file, or of its folder where it is the index: mostly that of its default export, too."""
    folder, _, name = path.rpartition("/")
    stem = name.partition(".")[0]
    return folder.rpartition("/")[2] if stem == "index" else stem


def _may_be_default(linker: Linker, target: str, used: UsedName) -> bool:
    """Whether what a module of JavaScript exports as its default may be what ``used`` asks for: the module is called
    so, or speaks of it at all."""
    called = re.sub(r"[^a-z0-9]", "", _what_it_is_called(target).lower())
    return called == re.sub(r"[^a-z0-9]", "", used.name.lower()) or re.search(
        rb"(?<![\w$])%s(?![\w$])" % re.escape(used.name.encode()), linker.tree.read(target) or b"") is not None


def _is_for_types(data: bytes, module: str) -> bool:
    """Whether a file of Python imports from ``module`` where types are checked, and not where it runs."""
    written = rb"TYPE_CHECKING:\s+(?:[^\n]+\n[ \t]+)*?from\s+%s\s+import\b" % re.escape(module.encode())
    return re.search(written, data) is not None


def _symbol(
    linker: Linker, path: str, data: bytes, use: ImportUse, used: UsedName, target: Found, answer: Missing
) -> Draft:
    from connlint.project.corrections import as_default, as_named, from_module, respelled, takes_what_it_is_given

    outcome = "member" if not used.in_import else _OUTCOMES.get(use.breaks, "symbol")
    elsewhere = [place for place in answer.tried if place not in (target.path, path)]
    beside = [place for place in elsewhere if place.startswith(target.path.rpartition("/")[0] + "/")]
    elsewhere = beside if len(beside) == 1 else elsewhere
    hint, fix = "", None
    if len(elsewhere) == 1 and used.in_import:
        hint = f"; {elsewhere[0]} defines it"
        module = linker.spelled(path, use.module, elsewhere[0]) if _is_near(elsewhere[0], target.path) else None
        if module and _is_for_types(data, module):
            module = None  # at run time there would be a circle
        fix = from_module(path, data, used.at, module) if module else None
    elif answer.near and (used.in_import or answer.near != "default") and not (
            answer.near == "default" and not path.endswith(_PYTHON) and not _may_be_default(linker, target.path, used)):
        hint = f"; did you mean '{answer.near}'?"
        if "default" in (used.name, answer.near) and not path.endswith(_PYTHON):
            fix = as_named(path, data, used.at, answer.near) if used.name == "default" else (
                as_default(path, data, used.at) if used.name == _what_it_is_called(target.path) else None)
        elif is_slip(used.name, answer.near) and used.name[:1].isupper() is answer.near[:1].isupper() and not (
                _is_a_type(linker, target.path, answer.near)):
            fix = respelled(path, data, used.at, answer.near)
    elif elsewhere:
        hint = f"; {' and '.join(elsewhere[:2])} define it" if len(elsewhere) == 2 else f"; {elsewhere[0]} defines it"
    home = elsewhere[0] if len(elsewhere) == 1 and used.in_import else target.path
    meant = used.name if home != target.path or answer.near == "default" else answer.near or used.name
    if fix is not None and used.in_import and not takes_what_it_is_given(path, data, used.at, linker.tree, home, meant):
        fix = None
    related = () if target.path.endswith("/") else (
        Step(Place(target.path, (0, 0)), f"this module does not define '{used.name}'"),
    )
    if outcome == "symbol" and not path.endswith(_PYTHON):
        outcome = "symbol-bundled"
    if outcome == "symbol-at-use" and not path.endswith(_PYTHON):
        words = re.findall(rf"(?<![\w$.]){re.escape(used.name)}(?![\w$])", data.decode("utf-8", "replace"))
        outcome = "symbol-unread" if len(words) == 1 else outcome
    slots = {"name": used.name, "module": use.module, "where": target.path, "hint": hint}
    return Draft(outcome, Place(path, used.at), slots, f"{use.module}:{used.name}", related=related, fix=fix)
