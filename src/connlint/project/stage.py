"""Where and when code runs: in production, or only in development, in tests, in tools and examples.

All words come from the ``[[stage]]`` tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any

from connlint.model import program as p
from connlint.patterns import regex
from connlint.project import jsonc
from connlint.project.address import loopback
from connlint.project.callers import is_called_only_where
from connlint.project.conditions import Condition, conditions
from connlint.project.module import Module
from connlint.project.project import Project
from connlint.project.rendering import asks_for_browser
from connlint.project.tree import Tree
from connlint.project.uses import references
from connlint.project.values import Values

_GLUED_HOST = regex(r"(PG|MYSQL|REDIS|MONGO)HOST$")
_WORDS = regex(r"(?:PG|MYSQL|REDIS|MONGO)(?=(?:HOST|PORT|USER|PASSWORD|DATABASE)(?![A-Za-z]))"
               r"|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_HEALTH_CHECK = regex(rb"^[ \t]*HEALTHCHECK\b(?:\\\r?\n|[^\n])*", re.M | re.I)
_CONFIGURATION = regex(r"[./-]config\.[cm]?[jt]s$")
_SCRIPT = regex(rb"([\w-][\w.-]*\.(?:py|[cm]?[jt]s))\b")


@lru_cache(maxsize=4096)
def words_of(name: str) -> tuple[str, ...]:
    """The words of an identifier, lower case: ``DevelopmentConfig`` and ``development_config`` have the same.

    Fact: the clients of PostgreSQL read ``PGHOST`` and its like, and platforms give other servers' the same form.
    """
    return tuple(w.lower() for w in _WORDS.findall(name))


def glued_port(name: str) -> str | None:
    """``PGPORT`` of ``PGHOST``."""
    return _GLUED_HOST.sub(r"\1PORT", name) if _GLUED_HOST.match(name) else None


def flat(name: str) -> str:
    """An identifier without its marks of style: ``isDev``, ``is_dev`` and ``IS_DEV`` are the same."""
    return name.replace("_", "").replace("-", "").replace("$", "").lower()


class Stages:
    """Answers about stages; made from the tables once per project."""

    def __init__(self, entries: list[dict[str, Any]], values: Values) -> None:
        self.values = values
        self.folders: dict[str, str] = {}
        self.top_folders: dict[str, str] = {}
        self.packaged: set[str] = set()
        self.settings_folders: dict[str, tuple[set[str], set[str]]] = {}
        self.folder_patterns: list[tuple[str, re.Pattern[str]]] = []
        self.files: list[tuple[str, re.Pattern[str]]] = []
        self.saying: list[tuple[str, re.Pattern[str], re.Pattern[bytes]]] = []
        self.hidden: dict[str, set[str]] = {}
        self.holding: list[tuple[str, str, str]] = []
        tables = {entry["kind"]: entry for entry in entries}
        for entry in entries:
            for folder in entry.get("folders", ()):
                self.folders.setdefault(folder, entry["kind"])
            if entry.get("packages"):
                self.packaged.add(entry["kind"])
            for folder in entry.get("top_folders", ()):
                self.top_folders.setdefault(folder, entry["kind"])
            if (shown := entry.get("hidden_but")) is not None:
                self.hidden[entry["kind"]] = set(shown)
            self.holding += [(entry["kind"], name, end) for name, end in entry.get("folders_holding", {}).items()]
            self.folder_patterns += [(entry["kind"], re.compile(text)) for text in entry.get("folder_patterns", ())]
            if "settings_of" in entry:
                self.settings_folders[entry["kind"]] = (set(entry["settings"]), set(entry["settings_of"]))
            self.files += [(entry["kind"], re.compile(pattern)) for pattern in entry.get("files", ())]
            self.saying += [(entry["kind"], re.compile(name), re.compile(words.encode()))
                            for name, words in entry.get("saying", {}).items()]
        variable = tables.get("variable", {})
        self.variables = set(variable.get("names", ()))
        self.variable_words = set(variable.get("words", ()))
        self.development = set(variable.get("development", ()))
        self.production = set(variable.get("production", ()))
        self.flags: dict[str, bool] = {}
        self.flag_words: dict[str, bool] = {}
        self.flag_members: dict[str, bool] = {}
        for kind, meaning in (("development flag", True), ("production flag", False)):
            table = tables.get(kind, {})
            self.flags.update(dict.fromkeys(table.get("names", ()), meaning))
            self.flag_words.update(dict.fromkeys(table.get("words", ()), meaning))
            self.flag_members.update(dict.fromkeys(table.get("members", ()), meaning))
        section = tables.get("section", {})
        self.keys = set(section.get("keys", ()))
        self.classes = set(section.get("classes", ()))
        self.settings = set(section.get("settings", ()))
        self.functions = tuple(section.get("functions", ()))
        self.assertions = set(tables.get("assertion", {}).get("names", ()))
        self.declared: dict[str, list[str]] = tables.get("declared", {})
        self.by_hand = set(tables.get("by hand", {}).get("words", ()))
        self.errands = set(tables.get("by hand", {}).get("errands", ()))
        self.browsers = tuple(tables.get("by hand", {}).get("browsers", ()))
        self.asking, self.staying, self.paging = (
            frozenset(tables.get("by hand", {}).get(key, ())) for key in ("asking", "staying", "paging"))
        self.aside = set(tables.get("aside", {}).get("words", ()))
        self._aside_begins = tuple(tables.get("aside", {}).get("begins", ()))
        self.aside_files = self.aside.union(tables.get("aside", {}).get("second_names", ()))
        start = tables.get("start", {})
        self.starters, self.start_decorators, self.start_moments = (
            frozenset(start.get(key, ())) for key in ("functions", "decorators", "moments"))
        browser = tables.get("browser", {})
        self.browser_packages = set(browser.get("packages", ()))
        self.server_packages = set(browser.get("servers", ()))
        self._paths: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._folders: dict[str, tuple[tuple[tuple[str, str], ...], frozenset[str]]] = {}
        self._packages: dict[str, bool] = {}

    # -- files ----------------------------------------------------------------------------------------------------

    def of_path(self, path: str) -> str:
        """"production", or what else the file is: "test", "tool", "example", "migration"."""
        found = self._paths.get(path)
        if found is None:
            found = self._paths[path] = self._of_path(path)
        return found

    def is_named(self, path: str, kind: str) -> bool:
        """Whether the name of a file alone says that it is of the stage ``kind``."""
        return self._named(path.rpartition("/")[2]) == kind

    def is_aside(self, name: str) -> bool:
        """Whether the name of a folder, in small letters, says that what is in it was put aside."""
        return name in self.aside or name.startswith(self._aside_begins)

    @cached_property
    def health_checks(self) -> frozenset[str]:
        """The names of files that images run to ask whether their own process is well."""
        found: set[str] = set()
        tree = self.values.project.tree
        for path in tree.paths:
            if "ockerfile" in path.rpartition("/")[2]:
                for instruction in _HEALTH_CHECK.findall(tree.read(path) or b""):
                    found.update(name.decode() for name in _SCRIPT.findall(instruction))
        return frozenset(found)

    @cached_property
    def _held_by(self) -> dict[str, str]:
        """The folders that are what the files in them say, as ``features`` with ``login.feature`` in it holds tests."""
        found = {}
        for path in self.values.project.tree.paths:
            for kind, name, end in self.holding:
                if path.endswith(end) and (at := f"/{path}".rfind(f"/{name}/")) >= 0:
                    found[path[: at + len(name)]] = kind
        return found

    def _of_path(self, path: str) -> str:
        folder, _, file = path.rpartition("/")
        if file in self.health_checks or self._is_replaced(path):
            return "tool"
        names, kinds = self._said_by(folder)
        kinds = kinds | {kind for above, kind in names
                         if not (kind in self.packaged and self._is_package(above))}
        stem, last = file.partition(".")[0].lower(), folder.rpartition("/")[2].lower()
        kinds |= {kind for kind, (above, below) in self.settings_folders.items() if last in above and stem in below}
        named = self._named(file)
        said = next((kind for kind, name, words in self.saying
                     if name.search(file) and words.search(self.values.project.tree.read(path) or b"")), named)
        for kind in ("test", "example", "tool", "migration"):
            if kind in kinds:
                # what drives tests is one wherever it lies
                return "test" if "test" in (named, said) else kind
        return said

    def _named(self, file: str) -> str:
        """What the name of a file says by itself; half of the files of a project share theirs with another."""
        if file not in self._names:
            self._names[file] = next((kind for kind, pattern in self.files if pattern.search(file)), "production")
        return self._names[file]

    def _said_by(self, folder: str) -> tuple[tuple[tuple[str, str], ...], frozenset[str]]:
        """What ``folder`` says of the files that stand in it: the folders whose whole names say something, with what
        they say, and what is said otherwise. Remembered, as most folders hold more than one file."""
        known = self._folders.get(folder)
        if known is not None:
            return known
        folders = folder.split("/") if folder else []
        names = [("/".join(folders[: place + 1]), self.folders.get(name.lower())
                  or self.folders.get(name.lower().strip("_."))) for place, name in enumerate(folders)]
        spelled = ["-".join(words_of(name)) for name in folders]
        kinds = {kind for kind, pattern in self.folder_patterns if any(pattern.search(name) for name in spelled)}
        if folders and (top := self.top_folders.get(folders[0].lower())):
            kinds.add(top)
        kinds.update(kind for kind, (above, below) in self.settings_folders.items() if any(
            one.lower() in above and two.lower() in below for one, two in pairwise(folders)))
        kinds.update(kind for held, kind in self._held_by.items() if f"{folder}/".startswith(held + "/"))
        kinds.update(kind for kind, shown in self.hidden.items()
                     if any(name[:1] == "." and name not in shown for name in folders))
        found = self._folders[folder] = tuple((above, kind) for above, kind in names if kind), frozenset(kinds)
        return found

    def _is_package(self, folder: str) -> bool:
        """Whether ``folder`` is a package of Python that the program around it imports, or has as an application."""
        if folder not in self._packages:
            self._packages[folder] = False  # what stands in the folder does not count
            project = self.values.project
            if f"{folder}/__init__.py" in project.tree.paths:
                self._packages[folder] = any(
                    self.of_path(path) == "production" for path in self._naming(project.tree, folder))
        return self._packages[folder]

    def _naming(self, tree: Tree, folder: str) -> Iterator[str]:
        """The files of Python beside ``folder`` that import from it, or list it among the applications of Django."""
        above, _, last = folder.rpartition("/")
        name = re.escape(last.encode())
        imported = re.compile(rb"^[ \t]*(?:from|import)[ \t]+(?:[\w.]*\.)?%s\b" % name, re.M)
        listed = re.compile(rb"['\"](?:\w+\.)*%s(?:\.apps\.\w+)?['\"]\s*," % name)
        for path in sorted(tree.paths):
            if path.endswith(".py") and path.startswith(above) and not path.startswith(folder + "/"):
                data = tree.read(path) or b""
                if last.encode() in data and (
                        imported.search(data) or (b"INSTALLED_APPS" in data and listed.search(data))):
                    yield path

    def _is_replaced(self, path: str) -> bool:
        """Whether a build takes another file in the place of ``path``: beside ``environment.ts`` stands
        ``environment.prod.ts``."""
        stem, dot, suffix = path.rpartition(".")
        if not stem.endswith("environments/environment"):
            return False
        paths = self.values.project.tree.paths
        return any(f"{stem}.{word}{dot}{suffix}" in paths for word in ("prod", "production"))

    # -- places ---------------------------------------------------------------------------------------------------

    def leaves(self, module: Module, statement: p.Statement) -> bool:
        """Whether a statement ends the program or the request."""
        return self.values.leaves(module, statement)

    def held(self, module: Module, node: Any) -> list[Condition]:
        """The conditions under which ``node`` is evaluated, exits of the program counted."""
        return conditions(module, node, leaves=self.leaves)

    def only_in_development(self, module: Module, node: Any, more: tuple[Condition, ...] = (),
                            absent: frozenset[str] = frozenset()) -> bool:
        """Whether ``node`` is evaluated in development or tests only, as far as the tests and names around it say.

        ``more`` are conditions that hold besides; ``absent`` variables that are not set where it matters, so that in
        ``process.env.X || isTest`` it is the test that holds.
        """
        if any(self.development_only(c, absent) for c in (*more, *self.held(module, node))):
            return True
        if self.in_section(module, node) or self._is_chosen_in_development(module, node):
            return True
        return is_called_only_where(self.values.project, module, node, self._is_in_development)

    def _is_in_development(self, module: Module, node: Any) -> bool:
        return any(self.development_only(c) for c in self.held(module, node))

    def _is_chosen_in_development(self, module: Module, node: Any) -> bool:
        """Whether ``node`` stands in an object that is taken in development only, under whatever name it has:
        ``production ? deployed : fallbacks``."""
        for above in module.parents(node):
            if type(above) is p.Let:
                if type(above.value) is not p.Record or type(above.target) is not p.Name:
                    return False
                name = above.target.id
                found = references(module, name, above.target)
                exported = any(e.local == name for export in module.nodes(p.Export) for e in export.names)
                return bool(found) and not exported and all(
                    any(self.development_only(c) for c in self.held(module, reader)) for reader in found)
            if isinstance(above, p.Statement):
                return False
        return False

    def in_section(self, module: Module, node: Any) -> bool:
        """Whether ``node`` stands in settings that are named after development or tests."""
        path: list[str] = []
        for above in module.parents(node):
            kind = type(above)
            if kind is p.Entry:
                if type(above.key) is p.Text:
                    path.append(above.key.value)
                    if above.key.value.lower() in self.keys:
                        return True
            elif kind is p.Class:
                if self._names_section(above.name or ""):
                    return True
            elif kind is p.Let and type(above.target) is p.Name and type(above.value) is p.Record:
                if self._names_section(above.target.id):
                    return True
            elif kind is p.Function and above.name and flat(above.name).startswith(self.functions):
                return True
        return self.is_served_in_development(module.path, path)

    def _names_section(self, name: str) -> bool:
        """Whether a class or an object of this name holds settings for development or tests: ``DevelopmentConfig``."""
        words = words_of(name)
        return bool(self.classes.intersection(words)) and (len(words) == 1 or words[-1] in self.settings)

    def is_served_in_development(self, path: str, keys: list[str]) -> bool:
        """Whether an entry of a build's configuration tells its development server where to pass requests on.

        ``keys`` are those of the entries around it, the innermost first.
        """
        return "proxy" in keys and "target" in keys and _CONFIGURATION.search(path) is not None

    # -- tests ----------------------------------------------------------------------------------------------------

    def development_only(self, condition: Condition, absent: frozenset[str] = frozenset()) -> bool:
        """Whether the condition can hold in development or tests only, where no variable of ``absent`` is set."""
        module, test, truth = condition.module, condition.test, condition.truth
        if truth and type(test) is p.Logical and test.op == "or":
            left, right = (self._is_unset(module, side, absent) for side in (test.left, test.right))
            if left != right:
                return self.development_only(Condition(module, test.right if left else test.left, True), absent)
        return self._means(module, test, truth, 0)

    def _is_unset(self, module: Module, e: Any, absent: frozenset[str]) -> bool:
        """Whether ``e`` reads variables that are not set, and nothing else."""
        if type(e) is p.Logical and e.op == "or":
            return self._is_unset(module, e.left, absent) and self._is_unset(module, e.right, absent)
        access = self.values.environment.access(module, e) if absent else None
        names = self._variable_names(module, access) if access is not None and access.default is None else []
        return bool(names) and absent.issuperset(names)

    def _means(self, module: Module, test: Any, truth: bool, depth: int) -> bool:
        if depth > 8:
            return False
        kind = type(test)
        if kind is p.Not:
            return self._means(module, test.value, not truth, depth + 1)
        if kind is p.Logical and test.op in ("and", "or"):
            left = self._means(module, test.left, truth, depth + 1)
            right = self._means(module, test.right, truth, depth + 1)
            return (left or right) if (test.op == "and") == truth else (left and right)
        if kind is p.Compare:
            return self._compared(module, test, truth, depth)
        if kind is p.Call:
            return self._called(module, test, truth, depth)
        if kind in (p.Name, p.Member, p.Index):
            meaning = self.flag(module, test)
            if meaning is not None:
                return meaning == truth
            if not truth and self._is_stage(module, test):
                return True
            if kind is p.Name:
                where, found = self.values.environment.definitions(module, test)
                values = [d for d in found if d.kind == "value" and d.value is not None and not d.path]
                if len(values) == 1 and len(found) == 1 and values[0].value is not test:
                    return self._means(where, values[0].value, truth, depth + 1)
        if kind is p.Constant:
            return test.value in ("true", "false") and (test.value == "true") != truth
        return False

    def _is_stage(self, module: Module, e: Any) -> bool:
        """Whether ``e`` reads the variable of the stage, which nobody sets on the own machine."""
        access = self.values.environment.access(module, e)
        names = self._variable_names(module, access) if access is not None and access.default is None else []
        return bool(names) and self.variables.issuperset(names)

    def flag(self, module: Module, e: Any) -> bool | None:
        """True for a flag of development, False for one of production, None for anything else."""
        access = self.values.environment.access(module, e)
        if access is not None:
            for name in self._variable_names(module, access):
                if name in self.flags:
                    return self.flags[name]
                for known, meaning in self.flags.items():
                    if name.endswith("_" + known) and len(known) > 5:
                        return meaning
            return self.flag_members.get(module.qualified(e) or "")
        if (member := module.qualified(e)) and member in self.flag_members:
            return self.flag_members[member]
        last = e.name if type(e) is p.Member else e.id if type(e) is p.Name else None
        if last is None:
            return None
        return self.flag_words.get(flat(last))

    def _variable_names(self, module: Module, access: Any) -> list[str]:
        names = []
        for name in access.names:
            if isinstance(name, str):
                names.append(name)
            elif type(name) is p.Text:
                names.append(name.value)
        return names

    def _called(self, module: Module, call: p.Call, truth: bool, depth: int) -> bool:
        meaning = self.flag(module, call)
        if meaning is not None:
            return meaning == truth
        last: str = call.callee.name if type(call.callee) is p.Member else getattr(call.callee, "id", "")
        # ``pattern.test(path)`` asks nothing about the stage
        asks = type(call.callee) is not p.Member or not call.args or last.startswith("is")
        meaning = self.flag_words.get(flat(last)) if asks else None
        if meaning is not None:
            return meaning == truth
        if last in ("includes", "startsWith", "startswith", "indexOf") and len(call.args) == 1:
            if truth and self._names_loopback(call.args[0].value):
                return True
        if last in ("includes", "has") and len(call.args) == 1 and type(call.callee) is p.Member:
            return self._among(module, call.args[0].value, call.callee.of, truth, depth)
        if last in ("startsWith", "startswith") and len(call.args) == 1 and type(call.callee) is p.Member:
            return self._equals(module, call.callee.of, call.args[0].value, truth)
        if last in ("Boolean", "bool", "strtobool", "parseBoolean") and call.args:
            return self._means(module, call.args[0].value, truth, depth + 1)
        if type(call.callee) is p.Member and last in ("lower", "toLowerCase", "strip", "trim"):
            return self._means(module, call.callee.of, truth, depth + 1)
        return False

    def _compared(self, module: Module, test: p.Compare, truth: bool, depth: int) -> bool:
        if test.op in ("in", "not in"):
            if truth == (test.op == "in") and self._names_loopback(test.left):
                return True
            return self._among(module, test.left, test.right, truth == (test.op == "in"), depth)
        if test.op not in ("==", "!="):
            return False
        equal = truth == (test.op == "==")
        for side, other in ((test.left, test.right), (test.right, test.left)):
            if equal and asks_for_browser(side) and type(other) is p.Text and other.value == "undefined":
                return self.is_for_browsers(module.path)
            if self._equals(module, side, other, equal):
                return True
            text = self._text(module, other)
            if text is not None and text.lower() in ("true", "1", "yes", "on", "false", "0", "no", "off", "", "null"):
                on = text.lower() in ("true", "1", "yes", "on")
                if self._means(module, side, equal == on, depth + 1):
                    return True
            if type(other) is p.Constant and other.value in ("null", "undefined"):
                if self._means(module, side, not equal, depth + 1):
                    return True
        return False

    def is_for_browsers(self, path: str) -> bool:
        """Whether the package of ``path`` is made for browsers, and no server renders its pages."""
        tree = self.values.project.tree
        folder = path.rpartition("/")[0]
        while folder and f"{folder}/package.json" not in tree.paths:
            folder = folder.rpartition("/")[0]
        package = jsonc.loads(tree.read(f"{folder}/package.json" if folder else "package.json")) or {}
        listed = {name for key in ("dependencies", "devDependencies") for name in jsonc.mapping(package.get(key))}
        return not listed.isdisjoint(self.browser_packages) and listed.isdisjoint(self.server_packages)

    def _among(self, module: Module, item: Any, collection: Any, truth: bool, depth: int) -> bool:
        if type(collection) is p.Name:
            _, found = self.values.environment.definitions(module, collection)
            if len(found) == 1 and found[0].value is not None:
                collection = found[0].value
        if type(collection) is not p.Sequence:
            return False
        results = [self._equals(module, item, other, truth) for other in collection.items]
        return bool(results) and (all(results) if truth else any(results))

    def _equals(self, module: Module, side: Any, other: Any, equal: bool) -> bool:
        """Whether ``side`` (a variable of the stage) being, or not being, ``other`` means development."""
        if equal and self._names_loopback(other):
            return True
        text = self._text(module, other)
        word = text.lower() if text is not None else self._member_word(other)
        if word is None or not self.tells_stage(module, side):
            return False
        if word in self.development:
            return equal
        if word in self.production:
            return not equal
        return False

    def _names_loopback(self, e: Any) -> bool:
        """A test for a loopback host: what it allows happens on the developer's own machine."""
        return type(e) is p.Text and loopback(e.value) is not None

    def _member_word(self, e: Any) -> str | None:
        """``Environment.PRODUCTION`` says as much as its text."""
        return e.name.lower() if type(e) is p.Member else None

    def _text(self, module: Module, e: Any) -> str | None:
        if type(e) is p.Text:
            return e.value
        if type(e) is p.Number:
            return str(int(e.value)) if e.value == int(e.value) else None
        if type(e) is p.Constant:
            return e.value if e.value in ("true", "false") else None
        if type(e) is p.Name:
            found = self.values.possible(module, e)
            return found[0].text if len(found) == 1 and not found[0].reads and found[0].text else None
        return None

    def tells_stage(self, module: Module, e: Any) -> bool:
        """Whether an expression names the stage: NODE_ENV and its like, or a name with such words."""
        while type(e) is p.Call and type(e.callee) is p.Member and self.values.environment.access(module, e) is None:
            e = e.callee.of
        access = self.values.environment.access(module, e)
        if access is not None:
            names = self._variable_names(module, access)
            return any(n in self.variables or words_of(n)[-1:] in (("env",), ("environment",), ("stage",))
                       for n in names)
        if type(e) is p.Logical:
            return self.tells_stage(module, e.left)
        last = e.name if type(e) is p.Member else e.id if type(e) is p.Name else None
        if last is None:
            return False
        if flat(last) in self.variable_words or last in self.variables:
            return True
        if type(e) is p.Name:
            where, found = self.values.environment.definitions(module, e)
            if len(found) == 1 and found[0].kind == "value" and found[0].value is not None and found[0].value is not e:
                if not found[0].path:
                    return type(found[0].value) is not p.Name and self.tells_stage(where, found[0].value)
                return str(found[0].path[-1]) in self.variables
        return False


def stages_of(project: Project, apis: dict[str, list[dict[str, Any]]], values: Values) -> Stages:
    """The one `Stages` of a project."""
    found = project.memo.get(Stages)
    if found is None:
        found = project.memo[Stages] = Stages(apis.get("stage", []), values)
    return found
