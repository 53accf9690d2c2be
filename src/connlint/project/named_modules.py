"""Modules that Python loads because a file names them in a text: a framework's settings, its applications, its tasks.

``os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")`` has the settings loaded, ``INSTALLED_APPS`` what
each application consists of, ``Celery(include=[…])`` and ``autodiscover_tasks()`` the tasks. Files are read as bytes.
Facts: documentation of Django ("Applications", "How Django processes a request") and Celery (``Celery.include``,
``autodiscover_tasks``).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping

from msgspec import Struct

from connlint.model.deployment import Known
from connlint.patterns import regex
from connlint.project.importers import Importers, importers
from connlint.project.project import Project

_DOTTED = regex(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+$")
_SET = regex(rb"[\"']DJANGO_SETTINGS_MODULE[\"']\s*(?:,|\]\s*=)\s*[\"']([\w.]+)[\"']")
_APPLICATIONS = regex(rb"^[ \t]*\w*(?:INSTALLED_APPS|_APPS)(?:\s*:[^=\n]+)?\s*\+?=\s*[\[(]([^\])]*)[\])]", re.M)
_LISTED = regex(
    rb"^[ \t]*(?:MIDDLEWARE|CELERY_IMPORTS|CELERY_INCLUDE)(?:\s*:[^=\n]+)?\s*\+?=\s*[\[(]([^\])]*)[\])]", re.M)
_SINGLE = regex(rb"^[ \t]*ROOT_URLCONF\s*=\s*[\"']([\w.]+)[\"']", re.M)
_INCLUDED = regex(rb"\b(?:include|imports)\s*=\s*[\[(]([^\])]*)[\])]|\binclude\(\s*[\"']([\w.]+)[\"']")
_DISCOVERED = regex(rb"\bautodiscover_tasks\(\s*(?:(?:lambda\s*:\s*)?[\[(]([^\])]*)[\])])?")
_TEXT = regex(rb"[\"']([A-Za-z_][\w.]*)[\"']")
_WORDS = (b"DJANGO_SETTINGS_MODULE", b"_APPS", b"ROOT_URLCONF", b"MIDDLEWARE", b"CELERY_I", b"elery", b"include(")
NEEDED = regex(r"DATABASES$|CELERY_|DATABASE_URL$")
"""Settings that whatever loads them comes to use; others are for those who ask for them, or for a part of the site."""
_OF_APPLICATIONS = ("models", "apps", "admin", "signals")


class Named(Struct, frozen=True):
    """The files of the project that one file has loaded by name; ``tasks`` are those of applications, which are loaded
    where something ``discovers`` tasks."""

    files: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    discovers: bool = False


def named_in(project: Project, path: str) -> Named:
    """What the file at ``path`` names."""
    memo: dict[str, Named] = project.memo.setdefault(named_in, {})
    if path not in memo:
        data = project.tree.read(path) or b"" if path.endswith(".py") else b""
        memo[path] = _read(importers(project), path, data) if any(word in data for word in _WORDS) else Named()
    return memo[path]


def _read(index: Importers, path: str, data: bytes) -> Named:
    listed = [name for pattern in (_LISTED, _INCLUDED) for found in pattern.finditer(data)
              for name in _TEXT.findall(found[1] or b"")]
    single = [found[1] for pattern in (_SET, _SINGLE) for found in pattern.finditer(data)]
    single += [found[2] for found in _INCLUDED.finditer(data) if found[2]]
    applications = [name for found in _APPLICATIONS.finditer(data) for name in _TEXT.findall(found[1])]
    discovering = list(_DISCOVERED.finditer(data))
    tasks = [name for found in discovering for name in _TEXT.findall(found[1] or b"")]
    files = [file for name in (*listed, *single) for file in _files(index, path, name.decode())]
    for name in applications:
        package = name.decode().partition(".apps.")[0]
        files += [file for part in _OF_APPLICATIONS for file in _files(index, path, f"{package}.{part}")]
    files += [file for name in tasks for file in _files(index, path, f"{name.decode()}.tasks")]
    later = [file for name in applications
             for file in _files(index, path, f"{name.decode().partition('.apps.')[0]}.tasks")]
    return Named(tuple(dict.fromkeys(files)), tuple(dict.fromkeys(later)), bool(discovering))


def _files(index: Importers, path: str, name: str) -> Iterator[str]:
    """The file of the dotted ``name``, or of the module that holds its last part, as ``path`` would import it."""
    for module in (name, name.rpartition(".")[0]):
        found = index.resolved(path, module) if module else None
        if found is not None:
            if found.endswith(".py"):
                yield found
            return


def named_by(project: Project, beside: str, environment: Mapping[str, Known]) -> list[str]:
    """The files of the settings that variables name, whatever they are called, as the file ``beside`` would import
    them."""
    if not beside.endswith(".py"):
        return []
    values = (known.value for known in environment.values() if known.value and _DOTTED.match(known.value))
    rows = (next(_files(importers(project), beside, value), None) for value in values)
    return list(dict.fromkeys(row for row in rows if row is not None))


def loaded(project: Project, started: Iterable[str], most: int,
           follows: Callable[[str], bool] = lambda way: True) -> list[str]:
    """The files that are loaded with ``started``, these first, nearest first: what each imports in a way that
    ``follows``, and names; about ``most`` at most."""
    index = importers(project)
    found = dict.fromkeys(started)
    waiting = deque(found)
    tasks: list[str] = []
    discovers = False
    while waiting and len(found) <= most:
        path = waiting.popleft()
        named = named_in(project, path)
        tasks += named.tasks
        discovers = discovers or named.discovers
        targets = [target for _, target, way in index.targets(path) if follows(way)]
        for target in (*targets, *named.files, *(tasks if discovers else ())):
            if target not in found:
                found[target] = None
                waiting.append(target)
    return list(found)
