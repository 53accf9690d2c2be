"""``kustomization.yaml``: which manifests are applied together, the ConfigMaps and Secrets that are made for them, and
what an overlay changes of a base."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator

from connlint.languages.deployment.dotenv import read_dotenv
from connlint.languages.deployment.yaml_nodes import Yaml, documents
from connlint.model.deployment import Deployment, Known, Kustomization
from connlint.model.source import Source

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
"""What such a file is called."""
_CHANGING = ("patches", "patchesStrategicMerge", "patchesJson6902", "components", "replacements", "transformers",
             "vars")
"""Keys behind which a variable of a container may be set."""


def read_kustomization(source: Source, read: Callable[[str], bytes | None]) -> Deployment:
    """What the file puts together. ``read`` gives the bytes of the project's other files. Raises `Malformed` where the
    file is no YAML."""
    folder = posixpath.dirname(source.path)
    resources: list[str] = []
    patches: list[str] = []
    maps: dict[str, dict[str, Known]] = {}
    merged: dict[str, dict[str, Known]] = {}
    changes = False
    images: dict[str, str] = {}
    for root in documents(source):
        for key in ("resources", "bases"):
            resources += _paths(root.get(key), folder)
        for key in _CHANGING:
            node = root.get(key)
            changes = changes or node is not None
            for item in node.list() if node is not None else ():
                patches += _paths(item.get("path") if item.node.id == "mapping" else item, folder)
        for item in node.list() if (node := root.get("images")) is not None else ():
            name, new = item.get("name"), item.get("newName")
            if name is not None and new is not None and name.text and new.text:
                images[name.text] = new.text
        for key in ("configMapGenerator", "secretGenerator"):
            node = root.get(key)
            for item in node.list() if node is not None else ():
                name, behavior = item.get("name"), item.get("behavior")
                if name is not None and name.text:
                    over = behavior is not None and behavior.text in ("merge", "replace")
                    (merged if over else maps).setdefault(name.text, {}).update(_values(item, folder, read))
    return Deployment(source.path, maps=maps,
                      kustomization=Kustomization(tuple(resources), tuple(patches), changes, merged, images))


def _paths(node: Yaml | None, folder: str) -> Iterator[str]:
    """The files and folders of the project that a list, or one text, names."""
    for text in (node.texts() if node is not None and node.node.id == "sequence" else
                 (node.text,) if node is not None else ()):
        if text and "://" not in text and "\n" not in text and not text.startswith("/"):
            path = posixpath.normpath(posixpath.join(folder, text))
            yield "" if path == "." else path


def _values(item: Yaml, folder: str, read: Callable[[str], bytes | None]) -> dict[str, Known]:
    """What a generator puts into its map: literals, files of variables, and whole files."""
    found: dict[str, Known] = {}
    literals = item.get("literals")
    for literal in literals.list() if literals is not None else ():
        name, equals, value = (literal.text or "").partition("=")
        if equals:
            found[name] = Known(value.strip("\"'"), literal.place, value)
    for key in ("envs", "env"):
        for path in _paths(item.get(key), folder):
            found |= read_dotenv(path, read(path) or b"")
    files = item.get("files")
    for file in files.list() if files is not None else ():
        name, equals, path = (file.text or "").partition("=")
        found[name if equals else posixpath.basename(name)] = Known(None, file.place, path)
    return found
