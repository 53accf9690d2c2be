"""Variables that a container sets by itself: in a file that its code loads, in the code, in a script that starts it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from connlint.patterns import regex
from connlint.project.env_files import may_be_there
from connlint.project.importers import CODE
from connlint.project.project import Project
from connlint.project.services import Running

_SETS_IN_CODE = (rb"environ\s*(?:\.setdefault\(\s*|\[\s*)[\"']%s[\"']\s*(?:,|\]\s*=[^=])|putenv\(\s*[\"']%s[\"']|"
                 rb"process\.env(?:\.%s|\[[\"']%s[\"']\])\s*(?:\|\||\?\?)?=[^=]")
_SETS_IN_SCRIPT = rb"(?:^|[\s;&])%s="
_SETS_IN_FILE = rb"^[ \t]*(?:export[ \t]+)?%s[ \t]*=[ \t]*\S"
_SETS_WHAT_COMES = regex(
    rb"process\.env\s*=\s*\{[^{}]*\.\.\.(?!process\.env\b)[\w$]|Object\.assign\(\s*process\.env\s*,\s*[\w$.]+\s*[,)]"
    rb"|\benviron\.update\(\s*(?:\*\*)?[\w.]+\s*\)")
"""What puts into the environment whatever an object holds that comes when the program runs."""
_BUILT_AT_HAND = ("compose", "docker-run")
"""Kinds of service whose images are mostly built where somebody works."""
_FILE = regex(rb"[\"'`]([\w./-]*\.env[\w.-]*)[\"'`]")
_FILE_OF_A_STAGE = regex(rb"[\"'`]([\w./-]*\.env\.)(?:\$\{[^}`]*\}`|[\"']\s*\+|\{[^}\"']*\}[\"'])")
"""``.env.`` with a value behind it that is put in when the program runs."""


def is_set_inside(project: Project, one: Running, paths: list[str], name: str) -> bool:
    """Whether the container of ``one``, with the code at ``paths``, sets the variable by itself, or may: a file that is
    kept out of the project goes into an image that is built on the machine that has it."""
    if is_carried(project, one, paths, name) or _is_set_by(project, _scripts(project, one), name, _SETS_IN_SCRIPT):
        return True
    if one.service.kind not in _BUILT_AT_HAND:
        return False
    loading = _loading(project, paths, (b"dotenv", b"env_file"))
    return bool(loading) and any(
        _takes(project, one, place) and may_be_there(project.tree, place) for place in _files(one, loading))


def is_carried(project: Project, one: Running, paths: list[str], name: str) -> bool:
    """Whether the code at ``paths`` sets the variable, or loads a file of the project that does and that goes into the
    image of ``one``."""
    if _is_set_by(project, paths, name, _SETS_IN_CODE):
        return True
    if any(_SETS_WHAT_COMES.search(project.tree.read(path) or b"") for path in paths):
        return True
    loading = _loading(project, paths, (b"dotenv", b"env_file", b"envFile"))
    files = [file for file in _files(one, loading) if _takes(project, one, file)] if loading else []
    return _is_set_by(project, files, name, _SETS_IN_FILE)


def _is_set_by(project: Project, paths: list[str], name: str, pattern: bytes) -> bool:
    """Whether one of the files holds what ``pattern`` says of the variable."""
    sets = re.compile(pattern.replace(b"%s", re.escape(name.encode())), re.MULTILINE)
    return any(sets.search(project.tree.read(path) or b"") for path in paths)


def _scripts(project: Project, one: Running) -> list[str]:
    """The scripts of the project by whose names ``one`` is started."""
    commands = [*one.commands, *(one.service.entrypoint or ())]
    commands += (*one.stage.entrypoint, *one.stage.command) if one.stage is not None else ()
    names = {posixpath.basename(word.value) for command in commands for word in command.words if word.value}
    return [path for path in project.tree.paths if posixpath.basename(path) in names and not path.endswith(CODE)]


def _loading(project: Project, paths: list[str], words: tuple[bytes, ...]) -> dict[str, bytes]:
    """The code at ``paths`` that speaks of files of variables."""
    return {path: data for path in paths if (data := project.tree.read(path)) and any(word in data for word in words)}


def _folder(one: Running) -> str:
    return "" if one.service.build in (None, ".", "") else f"{one.service.build}/"


def _takes(project: Project, one: Running, file: str) -> bool:
    """Whether the file of variables goes into the image with the code beside it: no line of ``.dockerignore`` means
    it."""
    folder = _folder(one)
    taken = True
    for line in (project.tree.read(f"{folder}.dockerignore") or b"").decode("utf-8", "replace").splitlines():
        pattern = line.strip()
        if pattern and not pattern.startswith("#"):
            bare = pattern.removeprefix("!").removeprefix("/")
            anywhere = bare.startswith("**/") and fnmatchcase(posixpath.basename(file), bare[3:])
            if anywhere or fnmatchcase(file.removeprefix(folder), bare):
                taken = pattern.startswith("!")
    return taken


def _files(one: Running, loading: dict[str, bytes]) -> list[str]:
    """The files of variables that the code in ``loading`` names, and the one that is loaded without a name; one that is
    named after a stage, for each value that ``one`` is told."""
    folder = _folder(one)
    told = [known.value for known in one.environment.values() if known.value and known.value.isalnum()]
    places = {f"{folder}.env"}
    for path, data in loading.items():
        for text in (*_named(_FILE, data), *(text + end for text in _named(_FILE_OF_A_STAGE, data) for end in told)):
            places |= {posixpath.normpath(posixpath.join(at, text)) for at in (folder, posixpath.dirname(path))}
            places.add(folder + posixpath.basename(text))
    return sorted(places)


def _named(pattern: re.Pattern[bytes], data: bytes) -> Iterator[str]:
    return (found.decode("utf-8", "replace") for found in pattern.findall(data))
