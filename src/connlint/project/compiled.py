"""Programs that the TypeScript compiler makes: whether a source stands behind a file of its output.

Only where the build of a package runs the compiler and nothing else that makes JavaScript, and where the configuration
says which folder goes into which, is the absence of a source the absence of the program.
"""

from __future__ import annotations

import posixpath
import re
from typing import Any

from connlint.patterns import regex
from connlint.project import jsonc
from connlint.project.answer import Answer, Missing, Unknown
from connlint.project.tree import Tree

_COMPILES = regex(r"(?:npx )?tsc(?: (?:-b|--build|-p|--project)(?: (?P<config>[\w./-]+))?)?$")
_MAKES_NOTHING = regex(r"(?:npx )?(?:rimraf|rm|del-cli|shx rm|tsc-alias|tsc --noEmit|eslint|prettier|prisma generate|"
                       r"(?:npm|yarn|pnpm) (?:run )?(?:clean|lint|typecheck|test)|(?:npm|pnpm) (?:ci|install))\b.*$")
_OUTPUTS = ("dist", "build", "out", "lib")
_SOURCES = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs")


def source_of(configs: Any, tree: Tree, package: str, path: str) -> Answer:
    """Whether ``path``, below the folder of the package file ``package``, is made by that package's build.

    `Missing` where the compiler makes all that is there, and has no source for it; else unknown. ``configs`` are the
    project's `TsConfigs`.
    """
    data = jsonc.loads(tree.read(package))
    build = jsonc.mapping(jsonc.mapping(data).get("scripts")).get("build")
    name = _configuration(build) if isinstance(build, str) else None
    if name is None:
        return Unknown("made by a build")
    folder = posixpath.dirname(package)
    config = configs.load(posixpath.join(folder, name))
    if config is None or config.opened or not config.out_dir or config.root_dir is None:
        return Unknown("made by a build")
    whole = posixpath.normpath(posixpath.join(folder, path))
    if not whole.startswith(config.out_dir + "/") or (config.root_dir and config.root_dir not in tree.folders):
        return Unknown("made by a build")
    stem = re.sub(r"\.[cm]?js$", "", whole[len(config.out_dir) + 1 :])
    places = [posixpath.join(config.root_dir, stem + ending) for ending in _SOURCES]
    if any(place in tree.paths or tree.exists(place) or tree.ignored(place) for place in places):
        return Unknown("made from another file")
    name = posixpath.basename(stem)
    likely = [path for path in sorted(tree.paths) if path.startswith(f"{config.root_dir}/" if config.root_dir else "")
              and re.search(rf"(?:^|/){re.escape(name)}\.[cm]?tsx?$", path) and "node_modules/" not in path]
    near = None
    if len(likely) == 1:
        inside = posixpath.relpath(likely[0], config.root_dir or ".")
        made = re.sub(r"\.([cm]?)tsx?$", r".\1js", posixpath.join(config.out_dir, inside))
        near = posixpath.relpath(made, folder or ".")
    return Missing("no source for it", (places[0],), near)


def likely_source(tree: Tree, folder: str, path: str) -> str | None:
    """The one file of TypeScript below ``folder`` that ``path``, in a folder of build output, is made from."""
    first, slash, rest = path.removeprefix("./").partition("/")
    if not slash or first not in _OUTPUTS:
        return None
    stem = re.sub(r"\.[cm]?js$", "", rest)
    places = [posixpath.normpath(posixpath.join(folder, inside, stem + ending)) for inside in ("src", "")
              for ending in _SOURCES[:4]]
    found = [place for place in places if place in tree.paths]
    return found[0] if len(found) == 1 else None


def _configuration(build: str) -> str | None:
    """The configuration with which a build script runs the compiler; None where it does something else, too."""
    found: str | None = None
    for step in re.split(r"\s*(?:&&|;)\s*", build.strip()):
        if compiles := _COMPILES.match(step):
            if found is not None:
                return None
            found = compiles["config"] or "tsconfig.json"
        elif not _MAKES_NOTHING.match(step):
            return None
    if found is None:
        return None
    return found if found.endswith(".json") else posixpath.join(found, "tsconfig.json")
