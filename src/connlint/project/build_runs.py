"""What the project's own pipelines, scripts and images set for the bundles that they build: ``VITE_API_URL=… npx vite
build``.

A bundle has its variables from where it is built, and nobody who deploys it can set them any more.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator

from connlint.model.deployment import Image
from connlint.model.finding import Place
from connlint.patterns import regex
from connlint.project.address import loopback
from connlint.project.grounds import contexts_of
from connlint.project.packages import own_root
from connlint.project.project import Project
from connlint.project.services import Services

_PIPELINE = regex(r"(?:^|/)(?:\.github/workflows/[^/]+\.ya?ml|\.gitlab-ci\.yml|bitbucket-pipelines\.yml"
                  r"|azure-pipelines[^/]*\.ya?ml|\.circleci/config\.yml|buildspec[^/]*\.ya?ml|amplify\.yml)$")
_SCRIPT = regex(r"(?:^|/)(?:[^/]+\.(?:sh|bash)|Makefile|package\.json)$")
_BUILDS = rb"\b(?:build|generate|export)\b"
_BUILT = regex(r"(?:^|[:_-])(?:build|generate|export)(?:[:_-]|$)")
"""A word of a command that builds a bundle."""
_DELIVERS = regex(rb"(?i)deploy|upload|publish|release|rsync|\bscp\b|s3 sync|build-push|docker push|pages")
"""What a pipeline says that does something with what it builds."""
_EXAMPLE = regex(rb"localhost|127\.0\.0|0\.0\.0\.0|::1|example\.(?:com|org)|\.(?:test|invalid)\b|__|placeholder|dummy")
"""What no build that is shipped has for an address."""
_FOR_DEVELOPERS = regex(r"(?:^|[/._-])(?:dev|develop|development|local|test|tests|e2e)(?:[/._-]|$)")
_LARGEST = 200_000


def set_for_builds(project: Project, path: str, variables: Iterable[str], *,
                   even_empty: bool = False) -> tuple[str, Place] | None:
    """The first of ``variables`` that is set, and to no loopback address, where the project builds what holds the file
    at ``path``, with the place; None where nothing is seen to. One that an image sets to nothing counts where the
    program takes it ``even_empty``."""
    root = own_root(project, path)
    for name in variables:
        known: dict[tuple[str, str, bool], Place | None] = project.memo.setdefault(set_for_builds, {})
        key = (root, name, even_empty)
        if key not in known:
            known[key] = next(_setting(project, root, name), None) or next(
                _set_in_images(project, root, name, even_empty), None)
        if (place := known[key]) is not None:
            return name, place
    return None


def _set_in_images(project: Project, root: str, name: str, even_empty: bool) -> Iterator[Place]:
    """Where the images that the package in the folder ``root`` is built in say what ``name`` is."""
    services = Services.of(project)
    for path, image in services.images().items():
        if _FOR_DEVELOPERS.search(path) is not None or name.encode() not in (project.tree.read(path) or b""):
            continue
        if not _holds(services, image, root):
            continue
        for stage in image.stages:
            layers = services.layers(image, stage)
            runs = [run for layer in layers for run in layer.runs if any(
                _BUILT.search(word.value or "") for word in run.words[1:])]
            told = [layer.environment.get(name) or layer.arguments.get(name) for layer in layers]
            known = next((it for it in reversed(told) if it is not None), None)
            if known is None or known.place.path != path or not any(known.place.at < run.place.at for run in runs):
                continue
            if (even_empty and known.value == "") or (known.value and not _is_nothing(known.value.encode())):
                yield known.place


def _holds(services: Services, image: Image, root: str) -> bool:
    """Whether the package in the folder ``root`` is copied into ``image`` from where that is built."""
    made = [one.service for one in services.running() if one.image is image]
    contexts = {context for service in made for context in contexts_of(service, image, services.tree)}
    sources = [source for stage in image.stages for source, _, origin in stage.copies if origin is None]
    places = {posixpath.normpath(posixpath.join(context, source.lstrip("/")))
              for context in contexts for source in sources}
    return any(place in ("", ".", root) or f"{root}/".startswith(f"{place}/") for place in places)


def _files(project: Project) -> list[tuple[str, bytes]]:
    """The pipelines and scripts of the project that seem to build something."""
    found: list[tuple[str, bytes]] | None = project.memo.get(_files)
    if found is None:
        paths = [path for path in sorted(project.tree.paths) if _PIPELINE.search(path) or _SCRIPT.search(path)]
        texts = [(path, data) for path in paths if _FOR_DEVELOPERS.search(path) is None
                 and (data := project.tree.read(path)) is not None]
        found = project.memo[_files] = [
            (path, data) for path, data in texts if len(data) < _LARGEST and re.search(_BUILDS, data)]
    return found


def _setting(project: Project, root: str, name: str) -> Iterator[Place]:
    word = re.escape(name.encode())
    inline = re.compile(rb"(?<![\w$.])(?<!\$\{)%s=(?:\"[^\"\n]*\"|'[^'\n]*'|\S*)(?=[^\n]*?%s)" % (word, _BUILDS))
    written = re.compile(rb"(?<![\w$.])(?<!\$\{)%s(?:[ \t]*:[ \t]+|=)(?=\S)[^\n]*" % word)
    for path, data in _files(project):
        if name.encode() not in data:
            continue
        piped = _PIPELINE.search(path) is not None
        if not piped and path.endswith("package.json") and path.rpartition("/")[0] != root:
            continue
        if piped and _DELIVERS.search(data) is None:
            continue
        for found in (written if piped else inline).finditer(data):
            if not _is_nothing(found[0].partition(b"=" if b"=" in found[0][: len(name) + 1] else b":")[2]):
                yield Place(path, found.span())


def _is_nothing(value: bytes) -> bool:
    """Whether a value is empty, or none that a build which is shipped would have."""
    text = value.strip().strip(b"\"'")
    return not text or _EXAMPLE.search(text) is not None or loopback(text.decode("utf-8", "replace")) is not None
