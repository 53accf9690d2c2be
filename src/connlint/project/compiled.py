"""Programs that the TypeScript compiler makes: whether a source stands behind a file of its output.

Only where the build of a package runs the compiler and nothing else that makes JavaScript, and where the configuration
says which folder goes into which, is the absence of a source the absence of the program.
"""

from __future__ import annotations

import posixpath
import re
from typing import Any

from connlint.model.deployment import Image
from connlint.patterns import regex
from connlint.project import jsonc
from connlint.project.answer import Answer, Missing, Unknown
from connlint.project.tree import Tree
from connlint.project.tsconfig import TsConfig

_COMPILES = regex(r"(?:npx )?tsc(?: (?:-b|--build|-p|--project)(?: (?P<config>[\w./-]+))?)?$")
_CALLED = regex(r"(?:npx (?:--no(?:-install)? )?|yarn (?:run )?|pnpm (?:exec )?|npm exec (?:-- )?|"
                r"(?:\./)?node_modules/\.bin/)?(tsc(?: .*)?)$")
"""The compiler, called by hand."""
_PREPARES = regex(r"(?:npm|pnpm|yarn)(?: (?:ci|i|install|prune|fetch|config|cache|--[\w=-]+)\b.*)?$|"
                  r"corepack\b|(?:apk|apt|apt-get|chown|chmod|mkdir|rm|adduser|addgroup|useradd|groupadd|set|echo)\b.*$|"
                  r"(?:npx |pnpm exec |yarn )?prisma generate\b.*$")
"""Steps of an image that make no JavaScript of the project's."""
_RUN_BESIDE = frozenset(("tsc", "prepare", "install", "postinstall", "preinstall"))
"""Scripts of a package that an image runs, too, where it installs the package or calls the compiler by its name."""
_MAKES_NOTHING = regex(r"(?:npx )?(?:rimraf|rm|del-cli|shx rm|tsc-alias|tsc --noEmit|eslint|prettier|prisma generate|"
                       r"(?:npm|yarn|pnpm) (?:run )?(?:clean|lint|typecheck|test)|(?:npm|pnpm) (?:ci|install))\b.*$")
_NEST = regex(r"(?:npx )?nest build(?: (?:-p|--path)[ =](?P<config>[\w./-]+))?$")
_OUTPUTS = ("dist", "build", "out", "lib")
_SOURCES = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs")


def source_of(configs: Any, tree: Tree, package: str, path: str, steps: str | None = None) -> Answer:
    """Whether ``path``, below the folder of the package file ``package``, is made by that package's build.

    `Missing` where the compiler makes all that is there, and has no source for it; else unknown. ``configs`` are the
    project's `TsConfigs`; ``steps`` is what is built with in the place of the package's script (see `by_hand`).
    """
    scripts = jsonc.mapping(jsonc.mapping(jsonc.loads(tree.read(package))).get("scripts"))
    if steps and not _RUN_BESIDE.isdisjoint(scripts):
        return Unknown("made by a build")
    build = steps or scripts.get("build")
    folder = posixpath.dirname(package)
    name = _configuration(build, tree, folder) if isinstance(build, str) else None
    if name is None:
        return Unknown("made by a build")
    config = configs.load(posixpath.join(folder, name))
    if config is None or config.opened or not config.out_dir:
        return Unknown("made by a build")
    whole = posixpath.normpath(posixpath.join(folder, path))
    roots = _roots(config, tree)
    if not roots or not whole.startswith(config.out_dir + "/") or (roots[0] and roots[0] not in tree.folders):
        return Unknown("made by a build")
    stem = re.sub(r"\.[cm]?js$", "", whole[len(config.out_dir) + 1 :])
    places = [posixpath.join(root, stem + ending) for root in roots for ending in _SOURCES]
    if any(place in tree.paths or tree.exists(place) or tree.ignored(place) for place in places):
        return Unknown("made from another file")
    name = posixpath.basename(stem)
    likely = [path for path in sorted(tree.paths) if path.startswith(f"{roots[0]}/" if roots[0] else "")
              and re.search(rf"(?:^|/){re.escape(name)}\.[cm]?tsx?$", path) and "node_modules/" not in path]
    near = None
    if len(likely) == 1:
        inside = posixpath.relpath(likely[0], roots[0] or ".")
        made = re.sub(r"\.([cm]?)tsx?$", r".\1js", posixpath.join(config.out_dir, inside))
        near = posixpath.relpath(made, folder or ".")
    return Missing("no source for it", (places[0],), near)


def _roots(config: TsConfig, tree: Tree) -> list[str]:
    """The folders whose layout the output may repeat, the one that the configuration itself means first.

    Without ``rootDir`` it is the deepest folder that holds all of the program's files. What these import from outside
    (a ``package.json``, a neighbour that is a ``file:`` dependency) moves it up, so every folder above counts; an image
    into which only some folders are copied moves it down, so the folders inside count as well.
    """
    if config.root_dir is not None:
        return [config.root_dir]
    here = posixpath.dirname(config.path)
    if config.composite:
        return [here]
    endings = _SOURCES if config.javascript else _SOURCES[:4]
    inputs = [path for path in tree.paths if path.endswith(endings) and config.covers(path)
              and not re.search(r"\.d\.[cm]?ts$", path) and not path.startswith(f"{config.out_dir}/")]
    folders = {posixpath.dirname(path) for path in inputs}
    if not folders:
        return []
    deepest = "" if "" in folders else posixpath.commonpath(sorted(folders))
    found = [deepest]
    while found[-1]:
        found.append(posixpath.dirname(found[-1]))
    inside = {posixpath.join(deepest, posixpath.relpath(f, deepest or ".").split("/")[0]) for f in folders - {deepest}}
    return [*found, *sorted(inside)]


def by_hand(image: Image) -> str | None:
    """The steps of an image that calls the compiler itself, without a script of the package; None where it does not, or
    where something else may make JavaScript, too."""
    runs = [" ".join(word.value or word.written for word in run.words) for stage in image.stages for run in stage.runs]
    calls = [found[1] for text in runs if (found := _CALLED.match(text))]
    others = [text for text in runs if not _CALLED.match(text) and not _PREPARES.match(text)]
    return calls[0] if len(calls) == 1 and not others and _COMPILES.match(calls[0]) else None


def likely_source(tree: Tree, folder: str, path: str) -> str | None:
    """The one file of TypeScript below ``folder`` that ``path``, in a folder of build output, is made from."""
    first, slash, rest = path.removeprefix("./").partition("/")
    if not slash or first not in _OUTPUTS:
        return None
    stem = re.sub(r"\.[cm]?js$", "", rest)
    places = [posixpath.normpath(posixpath.join(folder, inside, stem + ending)) for inside in ("src", "")
              for ending in _SOURCES[:4]]
    found = [place for place in places if place in tree.paths]
    if not found and "/" in stem:
        # of a project in a workspace, the folder of the sources is left out
        inner = posixpath.join(posixpath.dirname(stem), "src", posixpath.basename(stem))
        found = [place for ending in _SOURCES[:4]
                 if (place := posixpath.normpath(posixpath.join(folder, inner + ending))) in tree.paths]
    return found[0] if len(found) == 1 else None


def _configuration(build: str, tree: Tree, folder: str) -> str | None:
    """The configuration with which a build script of the package in ``folder`` runs the compiler; None where it does
    something else, too."""
    found: str | None = None
    for step in re.split(r"\s*(?:&&|;)\s*", build.strip()):
        if compiles := _COMPILES.match(step):
            if found is not None:
                return None
            found = compiles["config"] or "tsconfig.json"
        elif nest := _NEST.match(step):
            found = nest["config"] or _of_nest(tree, folder)
            if found is None:
                return None
        elif not _MAKES_NOTHING.match(step):
            return None
    if found is None:
        return None
    return found if found.endswith(".json") else posixpath.join(found, "tsconfig.json")


def _of_nest(tree: Tree, folder: str) -> str | None:
    """The configuration that ``nest build`` hands to the compiler; None where it runs a bundler, or several projects.

    Fact: the Nest CLI takes ``tsconfig.build.json`` before ``tsconfig.json`` unless ``nest-cli.json`` names another.
    """
    data = jsonc.mapping(jsonc.loads(tree.read(posixpath.join(folder, "nest-cli.json"))))
    options = jsonc.mapping(data.get("compilerOptions"))
    builder = options.get("builder", "tsc")
    kind = builder.get("type") if isinstance(builder, dict) else builder
    if data.get("projects") or data.get("monorepo") or options.get("webpack") or kind != "tsc":
        return None
    named = options.get("tsConfigPath")
    if isinstance(named, str):
        return named
    return next((name for name in ("tsconfig.build.json", "tsconfig.json")
                 if posixpath.join(folder, name) in tree.paths), None)
