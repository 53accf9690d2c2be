"""Tests, scripts and front ends that connect to a fixed port of the machine on which they run, where nothing can be
expected to listen: tests that nothing starts a service for, and ports that no compose file publishes.

Both are about absence, so whatever might start, replace or wait for a service, anywhere near, means silence.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from functools import cached_property
from itertools import chain
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from connlint.checks.hardcoded import at_place, fixed, requested
from connlint.checks.origins import class_of
from connlint.model import program as p
from connlint.model.finding import Draft, Place, Step
from connlint.model.rule import Card, Rules
from connlint.patterns import Words, regex
from connlint.project import jsonc
from connlint.project.address import Host, hosts
from connlint.project.answer import Found
from connlint.project.clients import construction
from connlint.project.elsewhere import Elsewhere
from connlint.project.module import Module
from connlint.project.packages import own_root
from connlint.project.project import Project
from connlint.project.services import Services
from connlint.project.stage import Stages, stages_of
from connlint.project.uses import Use
from connlint.project.values import Values, values_of

_CODE = (".py", ".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts")
_LOCAL = (b"localhost", b"127.0.0.1", b"[::1]")
_COLLECTED = regex(r"(?:^|/)(?:test_[^/]*|[^/]*_test|conftest)\.py$|\.(?:test|spec)\.[cm]?[jt]sx?$|"
                   r"(?:^|/)__tests__/[^/]+\.[cm]?[jt]sx?$")
_SETUP = regex(r"(?:^|[._-])(?:conftest|fixtures?|setup|teardown|global|helpers?|utils?|support|__init__|base|"
               r"common|environment|config)(?:[._-]|$)", re.IGNORECASE)
_RUNNERS = regex(
    r"^(?:pytest\.ini|tox\.ini|setup\.cfg|pyproject\.toml|noxfile\.py|tasks\.py|package\.json|\.?mocharc[\w.]*|"
    r"(?:jest|vitest|vite|karma|playwright|cypress|wdio|ava|nightwatch|protractor)[\w.-]*\.(?:[cm]?[jt]s|json)|"
    r"(?:GNU)?[Mm]akefile|[Jj]ustfile|Taskfile\.ya?ml|project\.json|turbo\.json)$")
_PIPELINES = regex(r"^(?:\.github/(?:workflows|actions)/|\.circleci/|\.buildkite/|\.gitlab-ci|\.travis\.yml|"
                   r"\.drone\.yml|azure-pipelines|bitbucket-pipelines|Jenkinsfile|appveyor|\.woodpecker|cloudbuild)")
_TESTS_RUN = regex(rb"pytest|unittest|(?:npm|yarn|pnpm|bun) (?:run )?test|jest|vitest|mocha")
_SEARCHED = regex(r"\.(?:py|[cm]?[jt]sx?|vue|svelte|go|rs|java|kt|rb|php|cs|ya?ml|json5?|toml|ini|cfg|conf|sh|"
                  r"bash|env|properties|md|rst|txt|xml|html|tf|hcl|service|ps1|bat|mk|gradle)$|(?:^|/)\.env[^/]*$|(?:^|/)[^./]+$|"
                  r"(?:^|/)(?:Docker|Make|Proc|Just|Caddy)file[^/]*$", re.IGNORECASE)
_LOCKS = ("-lock.json", ".lock", "-lock.yaml")
_LARGEST = 1_000_000
"""Bytes of a file beyond which it is data, and not searched for a port."""
_COMMENT = regex(rb"(?m)^[ \t]*(?:#|//)[^\n]*|(?<=[\s;,)\]}])(?:#|//)[^\n\"']*$")
_RECIPE = regex(rb"^([\w.-]+)[^\n:=]*:(?!=)[^\n]*\n(?:(?:[ \t]+[^\n]*)?(?:\n|$))*", re.M)
_ADDRESS = regex(rb"[\"'`]$|(?:[uU][rR][lL]|[hH][oO][sS][tT]|BASE|[bB]ase|API)$")
"""An argument that is a text, or a name that says so."""
_CAUGHT = ("catch", "rejects", "toThrow", "toThrowError", "raises", "assertRaises")


class Dialed(Struct, frozen=True):
    """A literal with an address of the machine, and the call in ``module`` that connects to it."""

    module: Module
    call: p.Call
    name: str
    home: Module
    literal: Any
    host: Host

    @property
    def place(self) -> Place:
        return Place(self.home.path, self.literal.at)

    @property
    def steps(self) -> tuple[Step, ...]:
        return (Step(self.place, f"the address is written here: {self.host}"),
                Step(Place(self.module.path, self.call.at), f"{self.name} connects to it"))


class _Locals:
    """What the tests and scripts of a project connect to; made once per project."""

    def __init__(self, project: Project, rules: Rules) -> None:
        self.project = project
        self.rules = rules
        self.values: Values = values_of(project, rules.apis)
        self.stages: Stages = stages_of(project, rules.apis, self.values)
        tables = rules.apis.get("probes", ())
        words = [w for entry in tables for w in entry.get("words", ())]
        calls = [w for w in words if w.endswith("(") and w[0].islower()]
        # plain words are found in one pass at memory speed; an alternative of a hundred is not
        self.words = Words(w.encode() for w in words if w not in calls)
        self.calls = tuple((w.encode(), re.compile(rb"(?<!\w)" + re.escape(w.encode()))) for w in calls)
        self.patterns = [re.compile(w.encode()) for entry in tables for w in entry.get("patterns", ())]
        feeds = [w.encode() for entry in tables for w in entry.get("feeds", ())]
        self.feeds = [(w, re.compile(rb"(?<![\w.])(\w+)\s*(?:=\s*require\(|from\s*)[\"']%s[\"']" % re.escape(w)))
                      for w in feeds]
        self.mocks = tuple(w.encode() for entry in tables for w in entry.get("mocks", ()))
        self.starts = tuple(w.encode() for entry in tables for w in entry.get("starts", ()))
        self.builders = {w for entry in tables for w in entry.get("builders", ())}
        self.sends = {w for entry in tables for w in entry.get("sends", ())}
        self.closes = {w for entry in tables for w in entry.get("closes", ())}
        self.usual = {port for entry in tables for port in entry.get("usual_ports", ())}
        self.elsewhere = Elsewhere(self.values, lambda path: self.stages.of_path(path) == "production")
        self.fronts = rules.apis.get("front_end", [])
        self._fronts: dict[str, bool] = {}
        self._dialed: list[Dialed] | None = None
        self._alone: dict[str, bool] = {}

    @classmethod
    def of(cls, project: Project, rules: Rules) -> _Locals:
        return project.single(cls, project, rules)

    def usual_for(self, module: Module) -> set[int]:
        """The ports that something may open without a word of the project about it."""
        if not self.is_front(module.path):
            return self.usual - self._never_opened
        return {port for entry in self.fronts for port in entry["usual_ports"]} - self._never_opened

    @cached_property
    def _never_opened(self) -> set[int]:
        """The usual ports that no tool of the project opens without being told."""
        found: set[int] = set()
        paths = self.project.tree.paths
        for entry in self.rules.apis.get("opens_by_itself", ()):
            manifest, tools = re.compile(entry["manifests"]), Words(word.encode() for word in entry["tools"])
            if any(path.endswith(tuple(entry["endings"])) for path in paths) or not any(map(manifest.search, paths)):
                continue
            rows = (self.project.tree.read(path) or b"" for path in paths if manifest.search(path))
            if not any(tools.stand_in(data.lower()) for data in rows):
                found.add(entry["port"])
        return found

    # -- who connects where -------------------------------------------------------------------------------------------

    def dialed(self) -> list[Dialed]:
        """Every literal that a test, a script or a front end connects to for certain, once; in order of path and
        position."""
        if self._dialed is None:
            rows: dict[tuple[str, int], Dialed] = {}
            for path in sorted(self.project.reported or self.project.tree.paths):
                if not path.endswith(_CODE) or "node_modules/" in path or not self._on_the_host(path):
                    continue
                data = self.project.tree.read(path)
                if data is None or len(data) > _LARGEST or not any(word in data for word in _LOCAL):
                    continue
                if self.probed(data):
                    continue
                module = self.project.module(path)
                if module is None or module.program.problems:
                    continue
                for row in self._dialed_in(module):
                    rows.setdefault((row.home.path, row.literal.at[0]), row)
            self._dialed = list(rows.values())
        return self._dialed

    def _on_the_host(self, path: str) -> bool:
        """Whether a file is run on a developer's machine, in a browser there or by a pipeline, where localhost is that
        machine."""
        return self.stages.of_path(path) in ("test", "tool") or self.is_front(path)

    def is_front(self, path: str) -> bool:
        """Whether a file is part of a program that runs in browsers alone, by what its package is made of."""
        if path.endswith(".py") or self.stages.of_path(path) != "production":
            return False
        root = own_root(self.project, path)
        if root not in self._fronts:
            data = self.project.tree.read(posixpath.join(root, "package.json"))
            package = jsonc.mapping(jsonc.loads(data)) if data is not None else {}
            listed = {name for key in ("dependencies", "devDependencies") for name in jsonc.mapping(package.get(key))}
            self._fronts[root] = any(not listed.isdisjoint(entry["packages"]) and listed.isdisjoint(entry["unless"])
                                     for entry in self.fronts)
        return self._fronts[root]

    def _dialed_in(self, module: Module) -> Iterator[Dialed]:
        for call in module.nodes(p.Call):
            for name, value, port in chain(self._addresses(module, call), self._handed(module, call)):
                possible = self.values.possible(module, value)
                found = fixed(possible)
                if found is None or type(found.node) is not p.Text:
                    continue
                if any(q.origin is None or q.origin.node is not found.node for q in possible):
                    continue
                named = hosts(possible[0].text or "")
                if len(named) != 1 or named[0].name not in ("localhost", "127.0.0.1", "::1"):
                    continue
                host = named[0]
                if host.port is None:
                    if host.scheme in ("", "http", "https") and port is None:
                        continue
                    host = replace(host, port=port or None)
                elif str(host.port) not in found.node.value:
                    continue
                caught = not self.is_front(module.path) and self._caught(module, call)
                if not caught and self._on_the_host(found.module.path):
                    yield Dialed(module, call, name, found.module, found.node, host)

    def _addresses(self, module: Module, call: p.Call) -> Iterator[tuple[str, Any, int | None]]:
        """What the call connects to, if it (or a request through what it builds, in this file) does: the client's name,
        the address, and the port where that stands in an option of its own, 0 where the client knows it by itself."""
        built = construction(module, call, self.project, self.rules)
        if built is not None:
            if built.wrapped is None and (built.dials or self._sends(module, call, of_client=True)):
                rows = list(built.addresses())
                ports = [value for place, value in rows if _last_word(place).endswith("port")]
                numbers = [int(value.value) for value in ports if type(value) is p.Number]
                port = numbers[0] if numbers else None if ports else 0
                for place, value in rows:
                    if not _last_word(place).endswith("port"):
                        yield built.name, value, port
            return
        found = requested(module, call, self.project, self.rules)
        if found is None:
            return
        name, places = found
        last = name.rpartition(".")[2]
        if (last in self.builders or last[:1].isupper()) and not self._sends(module, call):
            return
        for place in places:
            if (value := at_place(module, call, place, self.project)) is not None:
                yield name, value, None
                return

    def _handed(self, module: Module, call: p.Call) -> Iterator[tuple[str, Any, int | None]]:
        """The texts that a test hands to a class or function of the project, which connects to them with a client that
        speaks no HTTP: of such, a test may want no more than what it would ask for."""
        texts = [(number, it) for number, it in enumerate(call.args)
                 if type(it.value) is p.Text and hosts(it.value.value)]
        if not texts or self.stages.of_path(module.path) != "test":
            return
        for number, it in texts:
            given = Use("argument", module, it.value, it.name or str(number), call)
            for use in self.elsewhere.received(given):
                built = construction(use.module, use.call, self.project, self.rules) if use.call is not None else None
                if built is None or built.wrapped is not None or built.entry["kind"] in ("http", "file"):
                    continue
                is_address = any(value is use.node for _, value in built.addresses())
                if is_address and self._sends(module, call, of_client=True):
                    yield built.name, it.value, 0
                    return

    def _sends(self, module: Module, call: p.Call, of_client: bool = False) -> bool:
        """Whether something is sent through the name that ``call`` is bound to, here or by the tests that a generator
        hands it to. What is called of a client that is known sends something, but for closing it.
        """
        above = module.parent(call)
        while type(above) in (p.Await, p.Argument):
            above = module.parent(above)
        target: Any = getattr(above, "target", None) if type(above) in (p.Let, p.Assign, p.WithItem) else None
        called = [c.callee for c in module.nodes(p.Call)]
        senders: list[Any] = [callee.of for callee in called if type(callee) is p.Member and (
            callee.name in self.sends or (of_client and callee.name not in self.closes))]
        if _is_own(target):
            # a test's ``setUp`` keeps it on the object that the test is a method of
            owner = class_of(module, call)
            return owner is not None and any(
                _is_own(it) and it.name == target.name and class_of(module, it) is owner for it in senders)
        if type(target) is not p.Name:
            return False
        if module.path.endswith("conftest.py"):
            senders += [handed.value for handed in module.nodes(p.Yield) if handed.value is not None]
        return any(type(name) is p.Name and name.id == target.id
                   and any(d.at == target.at for d in module.lookup(name.id, name)) for name in senders)

    def _caught(self, module: Module, call: p.Call) -> bool:
        """Whether a refused connection is expected or dealt with around ``call``."""
        below: Any = call
        for above in module.parents(call):
            kind = type(above)
            if kind is p.Try and above.handlers and any(below is s for s in above.body):
                return True
            if kind is p.Member and above.name in _CAUGHT:
                return True
            if kind is p.With:
                entered = [item.value for item in above.items]
                if any(type(value) is p.Call and _last(value.callee) in _CAUGHT for value in entered):
                    return True
            below = above
        return False

    # -- who starts it ------------------------------------------------------------------------------------------------

    def probed(self, data: bytes, *, asked: bool = True) -> bool:
        """Whether a file starts, replaces, waits for or can do without what it connects to; a comment does nothing.

        What a file replaces for those that ask for it does not count where nobody has ``asked``.
        """
        code = _COMMENT.sub(b"", data)
        return (self.words.stand_in(code)
                or any(word in code and self._starts(code, bound) for word, bound in self.feeds)
                or (asked and any(word in code for word in self.mocks))
                or any(word in code and call.search(code) is not None for word, call in self.calls)
                or any(pattern.search(code) is not None for pattern in self.patterns))

    def _starts(self, code: bytes, bound: re.Pattern[bytes]) -> bool:
        """Whether a library that starts what it is given is given anything but addresses, as far as can be told."""
        name = bound.search(code)
        if name is None:
            return True
        given = re.findall(rb"(?<![\w.$])" + name[1] + rb"(?:\.agent)?\(\s*([\w.$]*[\"'`]?)", code)
        return not given or not all(_ADDRESS.search(it) for it in given)

    def alone(self, module: Module) -> bool:
        """Whether nothing that runs around a file, or that it imports, starts, replaces or waits for a service."""
        found = self._alone.get(module.path)
        if found is None:
            rows = ((path, self.project.tree.read(path) or b"") for path in self._around(module))
            found = self._alone[module.path] = not any(
                self.probed(data, asked=not path.endswith("conftest.py") or b"autouse" in data) for path, data in rows)
        return found

    def _around(self, module: Module) -> Iterator[str]:
        yield module.path
        folders = set(_above(module.path))
        for path in self.project.tree.paths:
            folder, _, name = path.rpartition("/")
            if not name.endswith(_CODE) or path == module.path:
                continue
            beside = folder in folders and (folder or name.startswith(("conftest", "setup", "jest", "vitest")))
            inside = folder.rpartition("/")[0] in folders and _SETUP.search(folder.rpartition("/")[2])
            if (beside and _SETUP.search(name)) or (inside and self.stages.of_path(path) == "test"):
                yield path
        for statement in module.nodes(p.Import):
            answer = self.project.resolve(module, statement.module)
            if isinstance(answer, Found) and not answer.path.endswith("/"):
                yield answer.path

    def started(self, path: str) -> bool:
        """Whether the configuration of a test's runner, a pipeline or a script starts services or leaves tests out."""
        folders = set(_above(path))
        for other in self.project.tree.paths:
            folder, _, name = other.rpartition("/")
            runner = folder in folders and _RUNNERS.match(name)
            script = name.endswith((".sh", ".bash", ".ps1", ".bat"))
            if not (runner or script or _PIPELINES.match(other)):
                continue
            data = self.project.tree.read(other) or b""
            if runner:
                data = _for_tests(name, data)
            elif script and "test" not in name and not _TESTS_RUN.search(data):
                continue
            elif not script and b"test" not in data.lower():
                continue
            if any(word in data for word in self.starts):
                return True
        return False


def check(project: Project, card: Card, rules: Rules) -> Iterator[Draft]:
    """Outcome "unprobed": a test that a runner collects goes to a port of the machine, and nothing listens there."""
    known = _Locals.of(project, rules)
    begun: dict[str, bool] = {}
    for row in known.dialed():
        path = row.module.path
        if known.stages.of_path(path) != "test" or not _COLLECTED.search(path) or not _tests(row.module):
            continue
        if not known.alone(row.module) or not known.alone(row.home):
            continue
        folder = posixpath.dirname(path)
        if folder not in begun:
            begun[folder] = known.started(path)
        if not begun[folder]:
            slots = {"address": str(row.host), "file": path}
            yield Draft("unprobed", row.place, slots, str(row.host), row.steps)


def unpublished(project: Project, rules: Rules) -> Iterator[Draft]:
    """Outcome "unpublished": a test, a script or a front end goes to a port of the machine that no compose file
    publishes, and that nothing in the project can be seen to open."""
    services = [one for one in Services.of(project).running() if one.service.kind == "compose"]
    ports = [port for one in services for port in one.service.ports]
    published = {port.host for port in ports if port.host}
    if not published or any(port.host is None for port in ports) or any(one.service.host_network for one in services):
        return
    known = _Locals.of(project, rules)
    rows = [row for row in known.dialed()
            if row.host.port and row.host.port not in published | known.usual_for(row.module)
            and known.alone(row.module) and known.alone(row.home)]
    opened = _opened(project, {row.host.port for row in rows if row.host.port})
    # the file that is nearest to the top speaks for the project
    speaker = min((one for one in services if one.service.ports), key=lambda one: (one.deployment.path.count("/"),
                                                                                 one.deployment.path))
    for row in rows:
        if row.host.port not in opened:
            slots = {"address": str(row.host), "file": speaker.deployment.path, "port": str(row.host.port)}
            listed = ", ".join(str(port) for port in sorted(published)[:4])
            related = (Step(speaker.service.place, f"published on the host: {listed}"),)
            yield Draft("unpublished", row.place, slots, str(row.host), row.steps, related)


def _opened(project: Project, ports: set[int]) -> set[int]:
    """Those of ``ports`` that stand anywhere in the project other than as the port of an address that is dialed."""
    if not ports:
        return set()
    numbers = b"|".join(str(port).encode() for port in sorted(ports))
    any_number = re.compile(rb"(?<![\w.])(" + numbers + rb")(?![\w])")
    dialed = re.compile(rb"(?://[^\s/\"'`]*|localhost|127\.0\.0\.1):$")
    found: set[int] = set()
    for path in project.tree.paths:
        if not _SEARCHED.search(path) or "node_modules/" in path or path.endswith(_LOCKS):
            continue
        data = project.tree.read(path)
        if data is None or len(data) > _LARGEST:
            continue
        for number in any_number.finditer(data):
            before = data[max(0, number.start() - 120):number.start()]
            if dialed.search(before) is None or b"0.0.0.0:" in before[-8:]:
                found.add(int(number[1]))
    return found


def _above(path: str) -> Iterator[str]:
    """The folder of a file and those above it; "" is the root."""
    folder = posixpath.dirname(path)
    while folder:
        yield folder
        folder = posixpath.dirname(folder)
    yield ""


def _tests(module: Module) -> bool:
    """Whether a runner finds tests in a file that is not also a program of its own."""
    if module.program.language == "python":
        guards = [s for s in module.program.body if type(s) is p.If and any(
            type(t) is p.Text and t.value == "__main__" for t in p.children(s.test))]
        if any(not _runs_tests(module, guard) for guard in guards):
            return False
        if module.path.endswith("conftest.py"):
            return True
        return any(d.name.startswith("test") for d in module.nodes(p.Define) if type(d.value) is p.Function)
    return any(_last(call.callee) in ("it", "test", "describe") for call in module.nodes(p.Call))


def _for_tests(name: str, data: bytes) -> bytes:
    """What a file of recipes or scripts says of running tests, with the recipes that these lead to; any other file as a
    whole."""
    rest = b""
    if name == "package.json":
        table = jsonc.loads(data) or {}
        scripts = jsonc.mapping(table.get("scripts"))
        recipes = {key: f"{key}: {text}".encode() for key, text in scripts.items() if isinstance(text, str)}
        rest = json.dumps({key: value for key, value in table.items() if key != "scripts"}).encode()
    elif name.lower().endswith(("makefile", "justfile")):
        recipes = {row[1].decode("utf-8", "replace"): row[0] for row in _RECIPE.finditer(data)}
    else:
        return data
    waiting = [key for key, text in recipes.items() if "test" in key or _TESTS_RUN.search(text)]
    found: dict[str, bytes] = {}
    while waiting:
        if (key := waiting.pop()) in found:
            continue
        found[key] = recipes[key]
        waiting += [other for other in recipes if other in (f"pre{key}", f"post{key}")
                    or re.search(rb"(?<![\w-])" + re.escape(other.encode()) + rb"(?![\w-])", found[key])]
    return rest + b"\n".join(found.values())


def _runs_tests(module: Module, guard: p.If) -> bool:
    """Whether what a file does as a program is to run the tests in it."""
    calls = [call for call in module.nodes(p.Call) if guard.at[0] <= call.at[0] < guard.at[1]]
    return any((module.qualified(call.callee) or "") in ("unittest.main", "pytest.main") for call in calls)


def _is_own(thing: Any) -> bool:
    """Whether ``thing`` is an attribute of the object itself."""
    return type(thing) is p.Member and type(thing.of) is p.Name and thing.of.id in ("self", "this")


def _last_word(place: str) -> str:
    return place.rpartition(".")[2].lower()


def _last(callee: Any) -> str:
    """The last name of what is called."""
    return callee.name if type(callee) is p.Member else callee.id if type(callee) is p.Name else ""
