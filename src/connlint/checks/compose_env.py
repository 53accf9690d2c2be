"""Variables that stand where compose does not look for them.

Compose fills ``${X}`` from the shell and the project's ``.env`` alone, and a container gets what ``environment`` and
``env_file`` of its service hand on, and nothing else. Whatever might still bring a variable there means silence.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from connlint.checks.containers import Tables
from connlint.checks.deployed import Code, loaded_without, on_a_developers_machine
from connlint.model.deployment import Deployment, Known, Reference, Service
from connlint.model.finding import Draft, Step
from connlint.model.rule import Card, Rules
from connlint.patterns import regex
from connlint.project.env_files import may_be_there, variables_of
from connlint.project.project import Project
from connlint.project.services import Running, Services
from connlint.project.stage import stages_of
from connlint.project.tree import Tree, above
from connlint.project.values import values_of

_TOLD = regex(r"(?:^|/)(?:Makefile|makefile|GNUmakefile|[Jj]ustfile|Taskfile\.ya?ml|package\.json|Jenkinsfile|"
              r"Procfile|\.envrc|[\w.-]+\.(?:sh|bash|zsh|ps1|bat|cmd|mk|fish|md|rst|txt|toml|py|rb))$|"
              r"^\.github/|^\.gitlab-ci")
"""Files that say how compose is called."""
_FILES_GIVEN = (b"--env-file", b"COMPOSE_ENV_FILES", b"set -a", b"set -o allexport", b"allexport")
_LARGEST = 400_000


def check(project: Project, card: Card, rules: Rules) -> Iterator[Draft]:
    """Outcomes: "interpolated" (``${X}`` although X is in an ``env_file`` only), "emptied" (and its empty value hides
    the one of the file), "unpassed" (X is in the project's ``.env`` only, and the code of a container needs it).

    Slots: ``service``, ``variable`` and ``file``. ``options.loaders`` are words in code that loads files by itself.
    """
    services = Services.of(project)
    told: _Told | None = None
    for deployment in services.deployments():
        if not any(service.kind == "compose" for service in deployment.services):
            continue
        told = told or _Told(project.tree)
        yield from _interpolated(deployment, project.tree, told)
    yield from _unpassed(services.running(), project, card, rules)


class _Told:
    """What scripts, recipes and pages say about how compose is called."""

    def __init__(self, tree: Tree) -> None:
        self.texts = [data for path in sorted(tree.paths) if _TOLD.search(path)
                      and (data := tree.read(path)) is not None and len(data) < _LARGEST]
        self.gives_files = any(word in text for text in self.texts for word in _FILES_GIVEN)

    def sources(self, file: str) -> bool:
        """Whether a shell reads ``file``."""
        name = posixpath.basename(file).encode()
        before = rb"(?:(?:\bsource|(?:^|[\s;&])\.)[ \t]+\S*|\$\([^)\n]*|\b(?:include|dotenv)[ \t]+\S*)"
        sourced = re.compile(before + re.escape(name), re.M)
        return any(name in text and sourced.search(text) for text in self.texts)

    def sets(self, variable: str) -> bool:
        """Whether a script, a recipe or a pipeline gives ``variable`` a value."""
        given = re.compile(rb"(?<![\w.])" + re.escape(variable.encode()) + rb"[\"']?[ \t]*[:?]?[=:]|read (?:-\w+ )*"
                           + re.escape(variable.encode()))
        return any(variable.encode() in text and given.search(text) for text in self.texts)


# -- what compose fills in ---------------------------------------------------------------------------------------------


def _interpolated(deployment: Deployment, tree: Tree, told: _Told) -> Iterator[Draft]:
    if not deployment.references or told.gives_files or on_a_developers_machine(deployment.path):
        return
    folder = posixpath.dirname(deployment.path)
    around = [posixpath.join(at, ".env") for at in above(folder)]
    files = list(dict.fromkeys(path for service in deployment.services for path in service.env_files
                               if path not in around))
    if not files or any(may_be_there(tree, path) for path in around):
        return
    filled = {name for path in around for name in variables_of(tree, path) or ()}
    by_name = {service.name: service for service in deployment.services}
    seen: set[tuple[str, str]] = set()
    for reference in deployment.references:
        name = reference.variable
        if name in filled or (reference.service, name) in seen or name.startswith("COMPOSE_"):
            continue
        held = next(((path, table[name]) for path in files if name in (table := variables_of(tree, path) or {})), None)
        if held is None or told.sets(name) or told.sources(held[0]):
            continue
        seen.add((reference.service, name))
        yield _draft(reference, by_name.get(reference.service), *held)


def _draft(reference: Reference, service: Service | None, file: str, known: Known) -> Draft:
    hides = service is not None and reference.sets == reference.variable and file in service.env_files
    slots = {"service": reference.service, "variable": reference.variable, "file": file}
    step = Step(known.place, f"{reference.variable} is set here, for containers only")
    return Draft("emptied" if hides else "interpolated", reference.place, slots,
                 f"{reference.service}:{reference.variable}", (step,))


# -- what a container gets ---------------------------------------------------------------------------------------------


def _unpassed(running: list[Running], project: Project, card: Card, rules: Rules) -> Iterator[Draft]:
    tables = Tables(rules)
    tree = project.tree
    for one in running:
        service = one.service
        if service.kind != "compose" or service.env_files or one.open or service.environment_at is None:
            continue
        if on_a_developers_machine(one.deployment.path) or service.mounts or one.image is None:
            continue
        path = posixpath.join(posixpath.dirname(one.deployment.path), ".env")
        held = {name: known for name, known in (variables_of(tree, path) or {}).items() if name not in one.environment}
        if not held:
            continue
        paths = Code.of(project, rules).files(one)
        if not paths or _loads(paths, tree, service.build or "", card):
            continue
        stages = stages_of(project, rules.apis, values_of(project, rules.apis))
        for name, step in loaded_without(paths, stages, project, rules).items():
            if name in held and not (one.environment and tables.says_where(name)):
                slots = {"service": service.name, "variable": name, "file": path}
                known = held[name]
                yield Draft("unpassed", service.environment_at, slots, f"{service.name}:{name}",
                            (Step(known.place, f"{name} is set here, for compose itself"), step))


def _loads(paths: list[str], tree: Tree, folder: str, card: Card) -> bool:
    """Whether the code may read a ``.env`` file by itself."""
    words = [word.encode() for word in card.options["loaders"]]
    beside = [posixpath.normpath(posixpath.join(folder, name)) for name in card.options["manifests"]]
    return any(word in data for path in (*paths, *beside) if (data := tree.read(path)) for word in words)

