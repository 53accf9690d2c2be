"""Programs that somebody starts by hand: once, to mend or to see something, or now and then, as an errand.

All words come from the ``[[stage]]`` tables.
"""

from __future__ import annotations

import re
from functools import cached_property

from connlint.model import program as p
from connlint.patterns import regex
from connlint.project import jsonc
from connlint.project.importers import importers
from connlint.project.module import Module
from connlint.project.packages import own_root
from connlint.project.programs import COMMANDS, PIPELINES, Programs, programs_of
from connlint.project.project import Project
from connlint.project.stage import Stages, words_of
from connlint.project.timeline import at_import

_OWN_FOLDER = regex(rb"['\"`](?:/Users/(?!Shared\b)[\w.-]+/|[A-Z]:[\\/]{1,2}Users[\\/]{1,2}(?!Public\b)[\w.-]+[\\/])")
"""A path below the folder that a desktop gives to its user."""

_STARTS = regex(rb"\A#!|\brequire\.main\b|\bimport\.meta\.main\b|\bimport\.meta\.url\b[^\n]*\bargv\b|"
                rb"\bargv\b[^\n]*\bimport\.meta\.url\b")
"""What a file of JavaScript holds that is started, whatever it gives to others."""
_USAGE = regex(rb"(?:\bconsole\.\w+|\bprint|\bexit|\bwrite|\bError)\(\s*[fru]{0,2}['\"`](?:\s|\\n)*[Uu](?:sage|SAGE):")
"""The call with which a program says how it is started."""

_ENDLESS = regex(
    rb"^[ \t]*while[ \t]+(?:True|1)[ \t]*:|\b(?:run_forever|run_until_disconnected|start_consuming)\(", re.M)
"""A loop of a program that does its work again and again."""
_SCRIPTS = (".js", ".mjs", ".cjs", ".ts")
_ENTRIES = frozenset(
    "index main server app start run worker cli bot client service daemon lambda handler setup preload background "
    "www bootstrap entry entrypoint api web gateway proxy consumer producer scheduler watch poll tail".split())
"""Names of files with which programs begin, whoever starts them."""
_GOES_ON = regex(
    rb"\b(?:listen|createServer|serve|setInterval|schedule|subscribe|consume|process|launch|login)\s*\(\s*[^)]|"
    rb"\bnew (?:\w+\.)?(?:Worker|CronJob|Cron|Client|Server|WebSocketServer)\b|\bcron\b|while\s*\(\s*(?:true|1)\s*\)|"
    rb"\.on\(\s*['\"](?:message|ready|connection|request|open)\b|\bexport\b|\bexports\b|\bBun\.serve|\bDeno\.serve")
"""What may keep a program running, or is there for others."""
_FEW = 5
"""Programs that one helper is for, at most."""


class ByHand:
    """Answers about one project."""

    def __init__(self, programs: Programs) -> None:
        self.programs = programs
        self.project = programs.project
        self.stages = programs.stages
        self._errands: dict[str, bool] = {}
        self._helpers: dict[str, bool] = {}

    @classmethod
    def of(cls, project: Project, stages: Stages) -> ByHand:
        """The one `ByHand` of a project."""
        return project.single(cls, programs_of(project, stages))

    def has(self, module: Module) -> bool:
        """Whether ``module`` is a program that somebody starts once, by hand: ``fix-prices.js``, ``reset_admin.py``.

        Its name or its folder says so, or it opens what lies in somebody's own folder, or a browser, or it asks the
        person at the terminal, or a workflow runs it; nothing of the project imports it, and no script, image or
        command of the program names it. Or the scripts that do are errands: ``"seed:run"``, ``"docs"``.
        """
        if self.is_errand(module.path) or self._helps_by_hand(module.path):
            return True
        named = self._is_named_so(module.path) or self._is_beside_program(module)
        if self._drives_browser(module):
            return self.programs.imported_by(module.path) is None and not self._is_started(module.path)
        if not (named or _OWN_FOLDER.search(module.source.data) or self._is_for_pipelines(module.path)
                or self._asks_somebody(module)):
            return False
        if module.program.language == "python":
            if not (self.programs.python_script(module, []) or _works_at_once(module)):
                return False
        elif self.programs.exports(module) and not _STARTS.search(module.source.data):
            return False
        return self.programs.imported_by(module.path) is None and not self.programs.is_commanded(module.path)

    def _helps_by_hand(self, path: str) -> bool:
        """Whether all that loads the file of Python, tests aside, are programs that nothing loads and no command names,
        one of which at least is surely started by hand."""
        if path not in self._helpers:
            self._helpers[path] = False  # files that load each other
            users = [one for one in importers(self.project).of(path) if self.stages.of_path(one) != "test"]
            if users and len(users) <= _FEW and path.endswith(".py"):
                modules = [self.project.module(one) for one in users]
                self._helpers[path] = all(one is not None and self._is_alone(one) for one in modules) and any(
                    one is not None and self.has(one) for one in modules)
        return self._helpers[path]

    def _is_alone(self, module: Module) -> bool:
        """Whether a file of Python does something when it is started, and nothing in the project loads or starts it."""
        return (self.programs.python_script(module, []) or _works_at_once(module)) and not (
            self.programs.is_commanded(module.path)) and self.programs.imported_by(module.path) is None

    def _is_named_so(self, path: str) -> bool:
        """Whether a file or its folder has the name of what is done once, or the file one that others could not import
        as they do with the rest of the package: ``02_filter.py``, or ``poll.cjs`` among modules."""
        *folders, name = path.split("/")
        stem, _, suffix = name.rpartition(".")
        if not self.stages.by_hand.isdisjoint(words_of(stem)):
            return True
        # a folder of experiments; programs that stay have names such as ``list`` and ``old``, too
        once = self.stages.by_hand & self.stages.aside
        if any(not once.isdisjoint(words_of(folder)) for folder in folders):
            return True
        if suffix == "py":
            return not stem.isidentifier() and not self._is_page(path) and not self._stays(path, words_of(stem))
        return suffix == "cjs" and self.programs.package(path).get("type") == "module"

    def _is_beside_program(self, module: Module) -> bool:
        """Whether a file of JavaScript lies at the top of a package whose scripts start something else, tells what it
        does to whoever looks at the terminal, and has nothing that would keep it running."""
        folder, _, name = module.path.rpartition("/")
        if not name.endswith(_SCRIPTS) or name.count(".") > 1 or folder != own_root(self.project, module.path):
            return False
        scripts = jsonc.mapping(self.programs.package(module.path).get("scripts"))
        data = module.source.data
        return (not {"start", "serve", "dev"}.isdisjoint(scripts) and b"console." in data
                and _GOES_ON.search(data) is None and _ENTRIES.isdisjoint(words := words_of(name.partition(".")[0]))
                and self.stages.staying.isdisjoint(words))

    def _stays(self, path: str, words: tuple[str, ...]) -> bool:
        """Whether a program of Python goes on until it is stopped, as its name or an endless loop says."""
        return (bool(words) and words[-1] in self.stages.staying) or _ENDLESS.search(
            self.project.tree.read(path) or b"") is not None

    def _is_page(self, path: str) -> bool:
        """Whether a library takes the file from a folder of pages, which it puts in the order of their names."""
        data = self.project.tree.read(path) or b""
        return path.split("/")[-2:-1] == ["pages"] and any(
            re.search(rb"^(?:import|from)[ \t]+%s\b" % name.encode(), data, re.M) for name in self.stages.paging)

    def is_errand(self, path: str) -> bool:
        """Whether nothing imports the file at ``path``, and scripts of its package name it, all of them errands that no
        other script and no command runs."""
        if path not in self._errands:
            self._errands[path] = self._is_for_errands(path) and self.programs.imported_by(path) is None
        return self._errands[path]

    def _is_for_errands(self, path: str) -> bool:
        scripts = self.programs.scripts_naming(path)
        errands = self.stages.errands
        if not scripts or any(errands.isdisjoint(words_of(name)) for name in scripts) or self.programs.is_told(path):
            return False
        run = re.compile(rb"\b(?:npm|pnpm|yarn|bun)[ \t]+(?:run[ \t]+)?(?:%s)(?![\w:-])" % b"|".join(
            re.escape(name.encode()) for name in scripts))
        others = [text for name, text in jsonc.mapping(self.programs.package(path).get("scripts")).items()
                  if isinstance(text, str) and errands.isdisjoint(words_of(name))]
        return self.programs.told(run, COMMANDS, path) is None and not any(run.search(text.encode()) for text in others)

    def _asks_somebody(self, module: Module) -> bool:
        """Whether the file asks the person at the terminal, as nothing can that a deployment starts, or tells them what
        to write there."""
        known: bool | None = module.memo.get(ByHand._asks_somebody)
        if known is None:
            known = module.memo[ByHand._asks_somebody] = self._asks(module)
        return known

    def _asks(self, module: Module) -> bool:
        words = words_of(module.path.rpartition("/")[2].rpartition(".")[0])
        if b"argv" in module.source.data and _USAGE.search(module.source.data) is not None:
            return True
        if module.program.language != "python" or not words or words[-1] in self.stages.staying:
            return False
        return any(re.search(rb"(?<![\w.])%s\(" % re.escape(name.encode()), module.source.data)
                   for name in self.stages.asking)

    def _drives_browser(self, module: Module) -> bool:
        """Whether the file opens a browser at its top level, and does there what somebody would do with it."""
        if not any(name.partition(".")[0].encode() in module.source.data for name in self.stages.browsers):
            return False
        for name, definitions in module.scope.names.items():
            for definition in definitions:
                value = definition.value
                called = module.qualified(value.callee) if type(value) is p.Call else None
                if called is not None and called.startswith(self.stages.browsers) and any(
                        type(call.callee) is p.Member and type(call.callee.of) is p.Name and call.callee.of.id == name
                        and at_import(module, call) for call in module.nodes(p.Call)):
                    return True
        return False

    def _is_started(self, path: str) -> bool:
        """Whether a command starts the file of Python by its name or as a module."""
        stem = re.escape(path.rpartition("/")[2].removesuffix(".py").encode())
        return self.programs.told(re.compile(rb"(?<![\w-])%s\.py\b|-m[ \t]+(?:\w+\.)*%s\b" % (stem, stem)), COMMANDS,
                                  path) is not None

    def _is_for_pipelines(self, path: str) -> bool:
        """Whether a workflow, which tests and builds the project, runs the file."""
        runs = re.compile(rb"\b(?:node|bun|tsx|ts-node|python3?)[ \t]+(?:\./)?(?:%s|%s)(?![\w./-])" % tuple(
            re.escape(text.encode()) for text in (path, path.rpartition("/")[2])))
        return any(runs.search(data) for data in self._workflows)

    @cached_property
    def _workflows(self) -> list[bytes]:
        return [self.project.tree.read(path) or b"" for path in sorted(self.project.tree.paths)
                if PIPELINES.search(path)]


def _works_at_once(module: Module) -> bool:
    """Whether the work of the file is done at its top level, where it tries something or holds something open."""
    return any(
        type(module.parent(call)) is p.Evaluate and at_import(module, call)
        and any(type(above) in (p.Try, p.With) for above in module.parents(call)) for call in module.nodes(p.Call))
