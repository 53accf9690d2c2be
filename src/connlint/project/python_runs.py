"""Folders from which a project's commands run Python: the modules in them are imported by their bare names.

Python looks first in the folder of the script that it is told to run; a server looks in its working folder, which an
image fills by ``COPY``. Images and commands are read as lines here: whether a folder of that name holds Python decides.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from connlint.patterns import regex
from connlint.project.tree import Tree

_SCRIPT = regex(rb"\bpython[\d.]*[\"',]*[ \t]+(?:[\"']?-[uBOIs]+[\"',]*[ \t]+)*[\"']?([\w./-]+/[\w.-]+\.py)\b")
_CHANGED = regex(
    rb"--(?:chdir|app-dir)(?:=|[\"',]*[ \t]+)[\"']?([\w./-]+)"
    rb"|\bcd[ \t]+([\w./-]+)[ \t]*(?:&&|;)[ \t]*(?:\w+=\S*[ \t]+)*"
    rb"(?:(?:exec|uv[ \t]run|poetry[ \t]run|pipenv[ \t]run)[ \t]+)*"
    rb"(?:python|uvicorn|gunicorn|hypercorn|daphne|granian|celery|flask|fastapi|streamlit)\b"
)
_INSTRUCTION = regex(
    rb"^[ \t]*(WORKDIR|COPY|ADD|FROM)[ \t]+((?:--\w+=\S+[ \t]+)*)(\S+)(?:[ \t]+(\S+))?[ \t\r]*$", re.M | re.I
)
_INSTALLED = regex(rb"\bpip[\d.]*[ \t]+install\b((?:\\\r?\n|[^\n;&|])*)")
_DISTRIBUTION = regex(r"[A-Za-z][\w.-]*")


def run_roots(tree: Tree, path: str, data: bytes) -> Iterator[str]:
    """Folders of the project that the image or the commands in the file ``path`` make roots; no packages among them."""
    folder, _, name = path.rpartition("/")
    named = {_text(found[1]).rpartition("/")[0] for found in _SCRIPT.finditer(data)}
    named |= {_text(found[1] or found[2]) for found in _CHANGED.finditer(data)}
    if "docker" in name.lower():
        named.update(_copied(data))
    for place in sorted(named):
        found = next((f for f in _folders(folder, place) if f in tree.folders), None)
        if found is not None and f"{found}/__init__.py" not in tree.paths:
            yield found


def installed_by(data: bytes) -> Iterator[str]:
    """The distributions that ``pip install`` in an image names."""
    for found in _INSTALLED.finditer(data):
        for word in _text(found[1]).replace("\\\n", " ").split():
            if match := _DISTRIBUTION.match(word.strip("\"'")):
                if "/" not in word and not word.endswith((".txt", ".whl", ".toml")):
                    yield match[0]


def _copied(data: bytes) -> Iterator[str]:
    """What is copied right into the working folder of a stage."""
    working = "/"
    for found in _INSTRUCTION.finditer(data):
        keyword, flags, first, second = found[1].upper(), found[2], _text(found[3]), _text(found[4] or b"")
        if keyword == b"FROM":
            working = "/"
        elif keyword == b"WORKDIR":
            working = posixpath.normpath(posixpath.join(working, first))
        elif second and b"--from" not in flags and posixpath.normpath(posixpath.join(working, second)) == working:
            yield first


def _folders(folder: str, place: str) -> Iterator[str]:
    """What ``place`` may mean: below the folder of the file that names it, or of one above, or in an image's root."""
    place = posixpath.normpath(place.lstrip("/"))
    if place.startswith(".") or not place:
        return
    parts = place.split("/")
    for start in range(min(len(parts), 2)):
        at = folder
        while True:
            yield posixpath.join(at, *parts[start:])
            if not at:
                break
            at = at.rpartition("/")[0]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
