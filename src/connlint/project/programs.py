"""How a file's code comes to run: imported by others, started as a program, re-evaluated or forked by its surroundings.

All names of frameworks and commands are given by the caller, who has them from a card.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from connlint.model import program as p
from connlint.model.source import Span
from connlint.patterns import regex
from connlint.project import jsonc
from connlint.project.elision import stays
from connlint.project.importers import importers
from connlint.project.javascript_files import join
from connlint.project.module import Module
from connlint.project.packages import own_root
from connlint.project.project import Project
from connlint.project.stage import Stages
from connlint.project.timeline import at_import, is_main_test

_STARTED = frozenset(
    "index main server app cli worker start run bin www bootstrap entry entrypoint __main__ manage wsgi asgi "
    "daemon service lambda handler".split()
)
"""Names of files that are started rather than imported, where nobody imports them."""
_BY_CONVENTION = regex(
    r"(?:^|/)(?:pages|app|routes|api|server/(?:api|routes|plugins|middleware)|functions)/|(?:^|/)\+(?:page|server|layout)"
    r"|(?:^|/)(?:middleware|instrumentation|hooks\.server|entry\.server|root)\.[jt]sx?$"
)
"""Files that a web framework imports by their place."""


_PAGE = regex(r"(?:^|/)(?:src/)?(?:app|pages)/|(?:^|/)(?:middleware|proxy|instrumentation)\.[jt]s$")
"""Files that Next.js evaluates, with all that they import."""
_MOST_BEHIND = 200
"""Files that import one, directly or through others, before somebody counts as a page."""
_COMPILED = ("dist", "build", "out", "lib", "output", ".output")
"""Folders into which programs are compiled, most often from ``src``."""
COMMANDS = regex(
    r"(?:^|/)(?:Procfile[^/]*|[^/]*Dockerfile[^/]*|[^/]*\.(?:ya?ml|sh|toml|service|cron)|Makefile|crontab|justfile)$"
)
"""Files that start programs."""
PIPELINES = regex(
    r"^\.github/workflows/|^\.circleci/|(?:^|/)(?:bitbucket-pipelines|azure-pipelines|appveyor|\.(?:gitlab-ci|travis|drone|"
    r"woodpecker))\.ya?ml$|(?:^|/)Jenkinsfile$")
"""Files that say how the project is tested, built and brought out: each of their commands ends."""
_RUNNING = regex(
    r"(?:^|/)(?:Procfile[^/]*|[^/]*Dockerfile[^/]*|[^/]*\.(?:ya?ml|sh|service|cron)|Makefile|crontab|justfile)$")
"""Those of them that do not merely describe a package."""
_SAYS = regex(rb"\s*@?(?:echo|printf)\b(?![^\n]*[>|&;])")
"""The beginning of a line that only prints."""
_TEST = regex(r"[._](?:test|spec)\.[cm]?[jt]sx?$|(?:^|/)test_[^/]*\.py$")
_PATH = regex(r"[\w@.-]*[\w./-]+")
_CODE = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx", ".vue", ".svelte")

_BARE = regex(rb"\s*import\s*['\"]")
"""An import that binds no name."""


class Programs:
    """Answers about one project."""

    def __init__(self, project: Project, stages: Stages) -> None:
        self.project = project
        self.stages = stages
        self._packages: dict[str, dict[str, Any]] = {}

    # -- importers and scripts ------------------------------------------------------------------------------------

    def imported_by(self, path: str) -> str | None:
        """A file of the program, no test and no tool, that imports ``path``."""
        for other in importers(self.project).of(path, dynamic=False):
            if self.stages.of_path(other) == "production":
                return other
        return None

    def only_for_tests(self, path: str) -> bool:
        """Whether the files that import ``path`` are all tests; where none does, whether it stands among tests."""
        found = importers(self.project).of(path)
        if not found:
            folder = path.rpartition("/")[0]
            found = tuple(x for x in self.project.tree.paths if x.rpartition("/")[0] == folder and _TEST.search(x))
            return bool(folder) and bool(found)
        return all(self.stages.of_path(other) == "test" for other in found)

    def is_script(self, module: Module, applications: list[str], listens: list[str]) -> bool:
        """Whether ``module`` is a program that does its work and ends, and that nobody imports.

        Not a module that builds an application (``applications``: qualified names) or waits for requests (``listens``:
        last names of calls): servers import the one, and the other lives on.
        """
        python = module.program.language == "python"
        looks = self.python_script(module, applications) if python else self._javascript_script(module, listens)
        if python and not looks:
            looks = not self._makes_application(module, applications) and self._is_run(module.path)
        return looks and self.imported_by(module.path) is None

    def _is_run(self, path: str) -> bool:
        """Whether a file of commands runs the file of Python at ``path`` by its name: ``python jobs/load.py``,
        ``python -m jobs.load``."""
        name = re.escape(path.rpartition("/")[2].encode())
        run = re.compile(rb"\bpython[\d.]*[\"']?(?:[\s,\"']+-[uOB]+[\"']?)*[\s,\"']+(?:(?:[\w./-]*/)?%s|"
                         rb"-m[\s,\"']+(?:[\w.]+\.)?%s)(?![\w.-])" % (name, name.removesuffix(rb"\.py")))
        return self.told(run, COMMANDS, path) is not None

    def is_starter(self, module: Module) -> bool:
        """Whether ``module``, which nobody imports, has nothing of its own but a call of what it imports."""
        return module.program.language == "python" and _only_starts_another(module) and (
            self.imported_by(module.path) is None)

    def by_hand(self, module: Module) -> bool:
        """Whether ``module`` is a program that somebody starts by hand: see `connlint.project.by_hand`."""
        from connlint.project.by_hand import ByHand

        return ByHand.of(self.project, self.stages).has(module)

    def is_commanded(self, path: str) -> bool:
        """Whether a script of a package, an image or a file of commands names the file."""
        return self._is_named(path) or self.is_told(path)

    def is_told(self, path: str) -> bool:
        """Whether an image or a file of commands names the file. Where its name is what one does, ``update``, the word
        alone is that of other commands."""
        stem = path.rpartition("/")[2].rpartition(".")[0]
        name = re.escape(stem.encode())
        pattern = rb"(?<![\w-])%s(?![\w-])" % name
        if stem in self.stages.by_hand:
            pattern = rb"(?<![\w-])%s\.(?:py|[cm]?[jt]sx?)\b|(?<=[\w./][./])%s(?![\w-])|-m[ \t]+%s(?![\w-])" % (
                name, name, name)
        return self.told(re.compile(pattern), COMMANDS, path) is not None

    def python_script(self, module: Module, applications: list[str]) -> bool:
        """Whether a file of Python does something when it is started, whoever else imports it; see `is_script`."""
        if "management/commands/" in module.path:
            return True  # of Django: loaded by its name, and only to be run
        if self._makes_application(module, applications):
            return False
        if module.source.data.startswith(b"#!"):
            return True
        if any(m.name == "argv" and module.qualified(m) == "sys.argv" and at_import(module, m)
               for m in module.nodes(p.Member)):
            return True
        statement: Any
        for statement in module.program.body:
            kind = type(statement)
            if kind is p.Loop or (kind is p.If and is_main_test(module, statement.test)):
                return True
            if kind is p.Evaluate:
                value = statement.value.value if type(statement.value) is p.Await else statement.value
                if type(value) is p.Call and type(value.callee) is p.Name:
                    own = module.only(value.callee.id, value.callee)
                    if value.callee.id == "print" or (own is not None and own.kind in ("function", "unread")):
                        return True
                elif type(value) is p.Call and module.qualified(value.callee) in ("asyncio.run", "sys.exit"):
                    return True
        return _only_starts_another(module)

    def _makes_application(self, module: Module, applications: list[str]) -> bool:
        """Whether importing ``module`` makes one of ``applications``, for a server to import."""
        return any(module.qualified(call.callee) in applications and at_import(module, call)
                   for call in module.nodes(p.Call))

    def _javascript_script(self, module: Module, listens: list[str]) -> bool:
        if self.exports(module) or (_BY_CONVENTION.search(module.path) and self.framework(module, None)):
            return False
        if module.source.data.startswith(b"#!"):
            return True
        # a function that nobody looked into may hold the call: the bytes decide
        return not any(f".{name}(".encode() in module.source.data or f" {name}(".encode() in module.source.data
                       for name in listens)

    def by_convention(self, module: Module) -> bool:
        """Whether the file stands where web frameworks look for files to import."""
        return self.is_by_convention(module.path)

    def is_by_convention(self, path: str) -> bool:
        """`by_convention` of the file at ``path``."""
        return _BY_CONVENTION.search(path) is not None

    def exports(self, module: Module) -> bool:
        """Whether a JavaScript module gives anything to others."""
        if any(not e.type_only for e in module.nodes(p.Export)):
            return True
        for assign in module.nodes(p.Assign):
            if type(assign.target) is p.Member:
                name = module.qualified(assign.target) or ""
                if name == "module.exports" or name.startswith(("exports.", "module.exports.")):
                    return True
        return False

    def is_entry(self, module: Module) -> bool:
        """Whether ``module`` is started and not imported: a script of its package names it, or nobody in the project
        imports it and it looks like that."""
        if _BY_CONVENTION.search(module.path) and module.program.language != "python" and self.framework(module, None):
            return False
        if self._is_named(module.path, scripts_only=True):
            return True
        name = module.path.rpartition("/")[2]
        stem = name.partition(".")[0]
        looks = stem in _STARTED or module.source.data.startswith(b"#!") or self._is_named(module.path)
        if not looks and module.program.language == "python":
            looks = any(type(s) is p.If and is_main_test(module, s.test) for s in module.program.body)
        elif not looks:
            looks = not self.exports(module)
        return looks and (not self._is_used(module.path) or self._is_part(module))

    def _is_part(self, module: Module) -> bool:
        """Whether ``module`` gives nothing to others, and the one file that loads it is a program's own entry, which
        nobody imports, tests neither: the entry was cut in two."""
        users = importers(self.project).of(module.path)
        if len(users) != 1 or module.program.language == "python" or self.exports(module):
            return False
        first = self.project.module(users[0])
        return (first is not None and self._only_starts(users[0], module.path)
                and not importers(self.project).of(users[0]) and self.is_entry(first))

    def _is_used(self, path: str) -> bool:
        """Whether a file of the program imports ``path``, other than to start it."""
        started = path.rpartition("/")[2].partition(".")[0].lower() in _STARTED
        index = importers(self.project)
        return any(self.stages.of_path(other) == "production" and not (started and self._only_starts(other, path))
                   and not self._leads_back(other, path)  # what it imports itself may well ask it back
                   for other in index.of(path, dynamic=False))

    def _leads_back(self, other: str, path: str) -> bool:
        """Whether every file that loads ``other``, directly or through others, has itself been loaded by ``path``."""
        index = importers(self.project)
        found, waiting = {other, path}, [other]
        while waiting and len(found) <= _MOST_BEHIND:
            above = index.of(waiting.pop())
            if not above:
                return False
            fresh = set(above) - found
            found |= fresh
            waiting += fresh
        return not waiting

    def _only_starts(self, other: str, path: str) -> bool:
        """Whether the file ``other`` loads ``path`` for its effect alone: ``require("./x")``, ``import "./x"``."""
        data = importers(self.project).data(other)
        for at, target, way in importers(self.project).targets(other):
            if target == path:
                before = data[data.rfind(b"\n", 0, at) + 1 : at]
                return _BARE.match(data, at) is not None if way == "static" else not before.strip()
        return False

    def starts(self, path: str, listens: list[str]) -> bool:
        """Whether a program surely starts with the file ``path``, rather than that nobody uses it any more.

        A package names it, or it does something at its top level: it waits for requests, calls a function of its own,
        or gives nothing to others. A file of Python may do no more there than to make what a server asks it for: then
        its name says so, or a file of commands does.
        """
        if self._is_named(path):
            return True
        module = self.project.module(path)
        if module is None:
            return False
        if module.program.language == "python" and (self.is_told(path) or (
                path.rpartition("/")[2].partition(".")[0] in _STARTED and _makes_something(module))):
            return True
        if module.program.language != "python" and not self.exports(module):
            return True
        if any(f".{name}(".encode() in module.source.data for name in listens):
            return True
        statement: Any
        for statement in module.program.body:
            if type(statement) is p.If and is_main_test(module, statement.test):
                return True
            if type(statement) is p.Evaluate:
                value: Any = statement.value
                while type(value) in (p.Await, p.Opaque, p.Member, p.Call) and not (
                        type(value) is p.Call and type(value.callee) is p.Name):
                    value = (value.value if type(value) is p.Await else value.of if type(value) is p.Member else
                             value.callee if type(value) is p.Call else value.parts[0] if value.parts else None)
                if type(value) is p.Call and type(value.callee) is p.Name:
                    own = module.only(value.callee.id, value.callee)
                    if own is not None and own.kind in ("function", "value", "unread"):
                        return True
        return False

    def _is_named(self, path: str, *, scripts_only: bool = False) -> bool:
        """Whether a package's scripts or entry name the file, or what it is compiled to."""
        if self.scripts_naming(path):
            return True
        here, package = self._package_at(path.rpartition("/")[0])
        texts = [] if scripts_only else [package.get("main"), package.get("bin"),
                                         *jsonc.mapping(package.get("bin")).values()]
        return any(isinstance(text, str) and _leads(here, text, path) for text in texts)

    def scripts_naming(self, path: str) -> list[str]:
        """The names of the package's scripts that name the file, or what it is compiled to."""
        here, package = self._package_at(path.rpartition("/")[0])
        return [name for name, text in jsonc.mapping(package.get("scripts")).items()
                if isinstance(text, str) and _leads(here, text, path)]

    # -- frameworks -----------------------------------------------------------------------------------------------

    def package(self, path: str) -> dict[str, Any]:
        """The nearest ``package.json`` above ``path``."""
        return self._package_at(path.rpartition("/")[0])[1]

    def _package_at(self, folder: str) -> tuple[str, dict[str, Any]]:
        while True:
            if folder not in self._packages:
                name = f"{folder}/package.json" if folder else "package.json"
                data = jsonc.loads(self.project.tree.read(name)) if name in self.project.tree.paths else None
                self._packages[folder] = data or {}
            if self._packages[folder] or not folder:
                return folder, self._packages[folder]
            folder = folder.rpartition("/")[0]

    def framework(self, module: Module, names: dict[str, str] | None) -> tuple[str, str] | None:
        """The framework whose server evaluates ``module``, and the ``package.json`` that says so.

        ``names``: package → what it is called. The package of the module depends on it, or a package that does imports
        the module's package.
        """
        key = (Programs.framework, id(names))
        memo = self.project.memo.setdefault(key, {})
        folder, package = self._package_at(module.path.rpartition("/")[0])
        if folder not in memo:
            memo[folder] = self._framework(folder, package, names or {"next": "", "nuxt": "", "@remix-run/node": "",
                                                                       "@sveltejs/kit": "", "astro": ""})
        return memo[folder]

    def is_evaluated(self, framework: tuple[str, str], path: str, by_pages: Collection[str]) -> bool:
        """Whether the `framework` of the file at ``path`` evaluates it: those of ``by_pages`` evaluate what a page
        imports, directly or through others, and nothing that a server of the project's own loads."""
        title, package = framework
        if title not in by_pages or own_root(self.project, path) != package.rpartition("/")[0]:
            return True
        memo = self.project.memo.setdefault(Programs.is_evaluated, {})
        if path not in memo:
            index = importers(self.project)
            found, waiting = {path}, [path]
            while waiting and len(found) <= _MOST_BEHIND and not any(_PAGE.search(one) for one in found):
                fresh = set(index.of(waiting.pop())) - found
                found |= fresh
                waiting += fresh
            memo[path] = len(found) > _MOST_BEHIND or any(_PAGE.search(one) for one in found)
        return bool(memo[path])

    def _framework(self, folder: str, package: dict[str, Any], names: dict[str, str]) -> tuple[str, str] | None:
        for name, title in names.items():
            if name in _dependencies(package):
                return title, f"{folder}/package.json" if folder else "package.json"
        own = package.get("name")
        if not isinstance(own, str) or not own:
            return None
        for path in sorted(self.project.tree.paths):
            if path.endswith("/package.json"):
                other = self._package_at(path.rpartition("/")[0])[1]
                dependencies = _dependencies(other)
                known = next((names[name] for name in names if name in dependencies), None)
                if own in dependencies and known is not None and not self._wants_types_alone(path, own):
                    return known, path
        return None

    def _wants_types_alone(self, path: str, package: str) -> bool:
        """Whether all code beside the ``package.json`` at ``path`` that imports ``package`` wants its types alone."""
        word = package.encode()
        index = importers(self.project)
        folder = path.removesuffix("package.json")
        found = False
        for other in sorted(it for it in self.project.tree.paths if it.startswith(folder)):
            if not other.endswith(_CODE) or word not in index.data(other):
                continue
            module = self.project.module(other)
            for it in module.nodes(p.Import) if module is not None else ():
                if f"{it.module}/".startswith(f"{package}/"):
                    found = True
                    if module is not None and stays(module, it):
                        return False
            texts = [it.args[0].value for it in module.nodes(p.Call) if it.args] if module is not None else []
            if any(type(it) is p.Text and f"{it.value}/".startswith(f"{package}/") for it in texts):
                return False
        return found

    def declares(self, path: str, files: re.Pattern[str], pattern: re.Pattern[bytes]) -> bool:
        """Whether a file of the package of ``path`` that ``files`` names matches ``pattern``."""
        folder = self._package_at(path.rpartition("/")[0])[0]
        key = (Programs.declares, folder, files.pattern, pattern.pattern)
        if key not in self.project.memo:
            prefix = f"{folder}/" if folder else ""
            self.project.memo[key] = any(
                pattern.search(self.project.tree.read(other) or b"") is not None
                for other in self.project.tree.paths if other.startswith(prefix) and files.search(other))
        return self.project.memo[key]

    # -- deployment -----------------------------------------------------------------------------------------------

    def is_installed_command(self, path: str) -> bool:
        """Whether all that names the file is the table of commands that its package of Python installs, and no image
        and no file of commands runs one that is called so."""
        stem = re.escape(path.rpartition("/")[2].removesuffix(".py").encode())
        entry = re.compile(rb"^[ \t]*([\w.-]+)[ \t]*=[ \t]*['\"]?[\w.]*\b%s:\w+['\"]?[ \t\r]*$" % stem, re.M)
        tables = [other for other in self.project.tree.paths if other.endswith(("pyproject.toml", "setup.cfg"))]
        names = {name for other in tables for name in entry.findall(self.project.tree.read(other) or b"")}
        if not path.endswith(".py") or not names or self._is_named(path):
            return False
        words = rb"|".join(re.escape(name) for name in (*sorted(names), stem))
        return self.told(re.compile(rb"(?<![\w-])(?:%s)(?![\w-])" % words), _RUNNING, path) is None

    def told(self, pattern: re.Pattern[bytes], files: re.Pattern[str], path: str) -> tuple[str, Span] | None:
        """Where a deployment file at or above the folder of ``path`` matches ``pattern``, left out what is a comment or
        only printed."""
        for other, at in self._told(pattern, files):
            folder = other.rpartition("/")[0]
            if not folder or path.startswith(folder + "/"):
                return other, at
        return None

    def _told(self, pattern: re.Pattern[bytes], files: re.Pattern[str]) -> list[tuple[str, Span]]:
        key = (Programs.told, files.pattern, pattern.pattern)
        if key not in self.project.memo:
            self.project.memo[key] = list(self._search(pattern, files))
        return self.project.memo[key]

    def _search(self, pattern: re.Pattern[bytes], files: re.Pattern[str]) -> Iterator[tuple[str, Span]]:
        for path in sorted(self.project.tree.paths):
            if not files.search(path) or self.stages.of_path(path) != "production" or PIPELINES.search(path):
                continue
            data = self.project.tree.read(path) or b""
            for match in pattern.finditer(data):
                begun = data[data.rfind(b"\n", 0, match.start()) + 1 : match.end()]
                if b"#" not in begun and _SAYS.match(begun) is None:
                    yield path, match.span()
                    break


def _makes_something(module: Module) -> bool:
    """Whether the top level of a file gives a name to what a call makes."""
    return any(type(it) is p.Let and type(it.value) is p.Call for it in module.program.body)


def _leads(folder: str, text: str, path: str) -> bool:
    """Whether a command or entry ``text`` of the package in ``folder`` names the file ``path``, or what it is compiled
    to."""
    wanted = _without_suffix(path)
    for token in _PATH.findall(text):
        parts = [part for part in _without_suffix(token).split("/") if part not in ("", ".")]
        places = [parts]
        if parts and parts[0] in _COMPILED:
            places += [parts[1:], ["src", *parts[1:]]]
        for place in places:
            found = join(folder, "/".join(place))
            if found is not None and wanted in (found, f"{found}/index"):
                return True
    return False


def _without_suffix(path: str) -> str:
    """The path without its last suffix, if that is one of a program."""
    head, dot, suffix = path.rpartition(".")
    return head if dot and suffix in ("js", "ts", "mjs", "cjs", "mts", "cts", "jsx", "tsx", "py") else path


def _dependencies(package: dict[str, Any]) -> dict[str, Any]:
    return {**jsonc.mapping(package.get("devDependencies")), **jsonc.mapping(package.get("dependencies"))}


def programs_of(project: Project, stages: Stages) -> Programs:
    """The one `Programs` of a project."""
    found = project.memo.get(Programs)
    if found is None:
        found = project.memo[Programs] = Programs(project, stages)
    return found


def _only_starts_another(module: Module) -> bool:
    """Whether a file of Python only calls what it imports: ``from worker import run; run()``."""
    if module.path.endswith("__init__.py"):
        return False  # loaded with any file of its folder
    body = [s for s in module.program.body if type(s) is not p.Import]
    calls = [s.value.value if type(s.value) is p.Await else s.value for s in body if type(s) is p.Evaluate]
    if len(calls) != len(body):
        return False
    names = [c.callee.of if type(c.callee) is p.Member else c.callee for c in calls if type(c) is p.Call]
    last = names[-1] if names else None
    found = module.only(last.id, last) if type(last) is p.Name else None
    return found is not None and found.kind == "import"
