"""What the code of a service does with another server while it starts: it connects, or it does so later.

Only what surely happens counts as connecting: a call that stands at the top level of what is loaded, in the main
program, or in a function that these or the framework run at the start; under no test, with nobody who catches the
failure. Which clients there are, and which of them wait for their server, stands in the tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from connlint.checks.deployed import Code
from connlint.model import program as p
from connlint.model.deployment import Command
from connlint.model.finding import Place, Step
from connlint.model.rule import Rules
from connlint.patterns import regex
from connlint.project.callees import last_name, thing
from connlint.project.clients import Construction, construction, files_with, instance
from connlint.project.conditions import Condition, conditions
from connlint.project.importers import importers
from connlint.project.module import Module
from connlint.project.named_modules import loaded
from connlint.project.project import Project
from connlint.project.services import Running
from connlint.project.serving import method
from connlint.project.stage import Stages, stages_of
from connlint.project.starts import Starts
from connlint.project.targets import targets_of
from connlint.project.timeline import Link, at_import, called_at_once, chains, holder
from connlint.project.values import values_of

if TYPE_CHECKING:
    from connlint.checks.containers import Tables

_OTHER_CODE = regex(r"\.(?:go|rs|cs|java|kt|rb|php|ex|exs|scala)$")
_MOST = 400
"""Modules that are followed from the one that a service starts."""
_LATER = ("dynamic", "inner")
"""Ways of importing a file that do nothing while the importing one is loaded."""
_LEAVES = ("exit", "_exit", "abort", "kill", "reject")


class Contact(Struct, frozen=True):
    """How a service meets another: ``when`` is "start", "late", "unseen" where its code has no client that is known, or
    "unread" where it is in no language that tells.

    ``steps`` lead to the place that connects, ``files`` are the programs and scripts that they stand in; both are empty
    unless it is at the start.
    """

    when: str
    what: str = ""
    steps: tuple[Step, ...] = ()
    files: tuple[str, ...] = ()


class Starting:
    """Asks the code and commands of services when they connect to which other."""

    def __init__(self, project: Project, rules: Rules, tables: Tables) -> None:
        self.project, self.rules, self.tables = project, rules, tables
        self.code = Code.of(project, rules)
        self.values = values_of(project, rules.apis)
        self.stages: Stages = stages_of(project, rules.apis, self.values)
        rows = rules.apis.get("dials", ())
        self._facts = {key: frozenset(word for row in rows for word in row.get(key, ()))
                       for key in ("calls", "given", "named", "migrations", "migrated", "decorators", "functions",
                                   "options")}
        self._last_names = frozenset(name.rpartition(".")[2] for name in self._facts["named"])
        self._reaches: dict[str, set[int]] = {}
        for row in rules.apis.get("reaches", ()):
            for package in row["packages"]:
                self._reaches.setdefault(package, set()).update(row["ports"])
        self._kinds = frozenset(entry["kind"] for entry in rules.apis.get("client", ())
                                if self._ports(entry["names"][0]))

    def contact(self, one: Running, target: Running) -> Contact:
        """When ``one`` connects to the well-known server ``target``."""
        ports = self.tables.ports_of(target.service.image)
        if (found := self._migrates(one, ports)) is not None:
            return found
        entries, mains = self.entries(one)
        loaded = self.loaded(entries)
        for path in sorted(loaded):
            for module, call, name in self._makes_tables(path, ports):
                if (steps := self.at_start(module, call, loaded, mains)) is not None:
                    last = Step(Place(module.path, call.at), f"{name}() connects while `{one.name}` starts")
                    return Contact("start", f"{name}()", (*steps, last), tuple({s.place.path for s in (*steps, last)}))
        own = self._own(one)
        built = list(self._built(sorted({*own, *loaded}), ports))
        if not built:
            if not own or any(_OTHER_CODE.search(path) for path in self._folder_paths(one)):
                return Contact("unread")
            packages = {name for path in own for name in importers(self.project).packages(path)}
            return Contact("late" if any(self._ports(name) & ports for name in packages) else "unseen")
        for path in sorted(loaded):
            for module, call, client in self._dials(path, ports):
                if (steps := self.at_start(module, call, loaded, mains)) is not None:
                    name = f"{last_name(call.callee)}()"
                    what = client.name if client.call is call else f"{client.name} … {name}"
                    last = Step(Place(module.path, call.at), f"{what} connects while `{one.name}` starts")
                    return Contact("start", what, (*steps, last), tuple({s.place.path for s in (*steps, last)}))
        return Contact("late")

    # -- commands -----------------------------------------------------------------------------------------------------

    def _migrates(self, one: Running, ports: frozenset[int]) -> Contact | None:
        """A command of the service, or of the script that it runs, which changes the database's tables."""
        if not ports & self._facts["migrated"]:
            return None
        commands = list(one.commands)
        for start in Starts.of(self.project, self.rules.apis).of_service(one):
            commands += start.beside
        for command in commands:
            text = " ".join(word.value or "?" for word in command.words) + " "
            name = next((name for name in sorted(self._facts["migrations"]) if f"{name} " in text), None)
            if name is not None and not self._may_fail(command):
                step = Step(command.place, f"`{name}` needs the database while `{one.name}` starts")
                path = command.place.path
                return Contact("start", name, (step,), (path,) if path.endswith((".sh", ".bash")) else ())
        return None

    def _may_fail(self, command: Command) -> bool:
        """Whether the lines of the command may hold a loop, a test, or what is done when it fails."""
        data = self.project.tree.read(command.place.path) or b""
        start, end = command.place.at
        first = data.rfind(b"\n", 0, start) + 1
        last = data.find(b"\n", end)
        around = data[first : last if last >= 0 else len(data)]
        return any(word in around for word in (b"||", b"if ", b"while ", b"until ", b"for "))

    # -- code ---------------------------------------------------------------------------------------------------------

    def entries(self, one: Running) -> tuple[set[str], set[str]]:
        """The files that ``one`` starts, and those among them that run as the main program."""
        entries: set[str] = set()
        mains: set[str] = set()
        for start in Starts.of(self.project, self.rules.apis).of_service(one):
            paths = set(targets_of(start))
            entries |= paths
            if start.module_target is not None or (start.target is not None and start.target.is_path):
                mains |= paths
        return entries, mains

    def loaded(self, entries: set[str]) -> set[str]:
        """The files that are loaded with ``entries``: what a function imports comes later, or never."""
        found = loaded(self.project, sorted(entries), _MOST, lambda way: way not in _LATER)
        return {path for path in found if self.stages.of_path(path) == "production"}

    def _own(self, one: Running) -> list[str]:
        """All code that may be the service's: more than what surely is, since a client in it speaks for silence."""
        return self.code.files(one) or self.code.below(self._folder(one))

    def _folder(self, one: Running) -> str:
        folder = one.service.build or (one.service.mounts[0][0] if one.service.mounts else "")
        return "" if folder == "." else folder

    def _folder_paths(self, one: Running) -> Iterator[str]:
        folder = self._folder(one)
        prefix = folder + "/" if folder else ""
        return (path for path in self.project.tree.paths if path.startswith(prefix))

    def _ports(self, name: str) -> set[int]:
        """The ports of the servers that a client with this qualified name may speak to."""
        scope, slash, rest = name.partition("/") if name.startswith("@") else ("", "", name)
        first = re.split(r"[/.(]", rest, maxsplit=1)[0]
        return self._reaches.get(scope + slash + first) or self._reaches.get(scope or first, set())

    def _speaks(self, built: Construction | None, ports: frozenset[int]) -> bool:
        """Whether ``built`` is a client of such a server, and works on no file instead."""
        if built is None or not self._ports(built.name) & ports:
            return False
        starts = tuple(built.entry.get("embedded", ()))
        if built.given(built.entry.get("embedded_when", {})):
            return False
        return not starts or not any(q.text is not None and q.text.startswith(starts)
                                     for _, value in built.addresses()
                                     for q in self.values.possible(built.module, value))

    def _built(self, paths: list[str], ports: frozenset[int]) -> Iterator[Construction]:
        for path in files_with(self.project, self.rules, self._kinds, paths):
            module = self.project.module(path) if self.stages.of_path(path) == "production" else None
            for call in module.nodes(p.Call) if module is not None else ():
                built = construction(module, call, self.project, self.rules)  # type: ignore[arg-type]
                if built is not None and self._ports(built.name) & ports:
                    yield built

    def _dials(self, path: str, ports: frozenset[int]) -> Iterator[tuple[Module, p.Call, Construction]]:
        """The calls of a file that need the server, each with its client; none of clients that wait for it."""
        module = self.project.module(path)
        for call in module.nodes(p.Call) if module is not None else ():
            assert module is not None
            built = construction(module, call, self.project, self.rules)
            if built is not None:
                sure = module.program.language == "python" or built.entry["form"] == "await"
                awaited = type(module.parent(call)) is p.Await
                if (built.dials and built.entry["connects"] != "background" and sure) or (
                        awaited and "await" in built.entry.get("explicit", ())):
                    client: Construction | None = built
                else:
                    continue
            else:
                client = self._needed_by(module, call)
            if client is not None and not client.entry.get("patient") and self._speaks(client, ports):
                yield module, call, client

    def _makes_tables(self, path: str, ports: frozenset[int]) -> Iterator[tuple[Module, p.Call, str]]:
        """The calls of a file that need the server by their whole names: the object of a framework holds the client."""
        module = self.project.module(path)
        for call in module.nodes(p.Call) if module is not None else ():
            assert module is not None
            if last_name(call.callee) in self._last_names and (name := method(module, call)) in self._facts["named"]:
                assert name is not None
                if self._ports(name) & ports:
                    yield module, call, name

    def _needed_by(self, module: Module, call: p.Call) -> Construction | None:
        """The client whose server a call of a method, or a call that is given the client, needs."""
        name = last_name(call.callee)
        if type(call.callee) is p.Member:
            if name in self._facts["given"]:
                return next((c for a in call.args if (c := self._client(module, a.value)) is not None), None)
            client = self._client(module, call.callee.of)
            if client is None or client.entry["connects"] == "background":
                return None
            lends = client.entry.get("checkout", {}).get("method")
            wanted = name in self._facts["calls"] or name == lends or name in client.entry.get("explicit", ())
            return client if wanted and name != "connect_async" else None
        return None

    def _client(self, module: Module, expression: p.Expression) -> Construction | None:
        """The client that an expression is, also one that another file of the project holds."""
        found = instance(module, expression, self.project, self.rules)
        if found is not None:
            return found
        bound = None
        if type(expression) is p.Name:
            bound = self.project.definitions(module, expression)
        elif type(expression) is p.Member:
            base = thing(module, expression.of, self.project)
            if base is not None and type(base.node) is p.Program:
                bound = self.project.exported(base.module, expression.name)
        home, definitions = bound or (module, [])
        values = [d.value for d in definitions if d.kind == "value" and d.value is not None and not d.path]
        return instance(home, values[0], self.project, self.rules) if home is not module and len(values) == 1 else None

    # -- when ---------------------------------------------------------------------------------------------------------

    def at_start(self, module: Module, node: Any, loaded: set[str], mains: set[str]) -> tuple[Step, ...] | None:
        """The calls through which ``node`` is surely reached while the program starts; None where that is not known."""
        if not self.surely(module, node):
            return None
        for links in self.ways(module, node, loaded, mains):
            if all(self.surely(link.module, link.node) for link in links):
                return tuple(Step(Place(link.module.path, link.node.at),
                                  f"{last_name(getattr(link.node, 'callee', link.node))}() runs at the start")
                             for link in links)
        return None

    def ways(self, module: Module, node: Any, loaded: set[str], mains: set[str]) -> Iterator[tuple[Link, ...]]:
        """The calls, from the outermost on, through which the start of the program leads to ``node``, if nothing keeps
        it from making them."""

        def begins(home: Module, place: Any) -> bool:
            if home.path not in loaded:
                return False
            return at_import(home, place, main=home.path in mains) or self._in_starter(home, place)

        if begins(module, node):
            yield ()
            return
        for chain in chains(self.project, module, node, within=loaded, begins=begins):
            yield chain.links

    def registered(self, module: Module, call: p.Call, loaded: set[str], mains: set[str]) -> bool:
        """Whether ``call``, which is handed a function, is surely made while the program starts."""
        if any(not _is_main(c.test) for c in conditions(module, call)) or self.stages.only_in_development(module, call):
            return False
        if at_import(module, call, main=module.path in mains):
            return True
        around = holder(module, call)
        return around is not None and self.at_start(module, around.node.body[0], loaded, mains) is not None

    def _in_starter(self, module: Module, node: Any) -> bool:
        """Whether ``node`` stands in a function that the framework runs before it serves."""
        around = holder(module, node)
        function = around.node if around is not None else None
        if type(function) is not p.Function:
            return False
        first = min((y.at[0] for y in module.nodes(p.Yield) if module.function(y) is function), default=None)
        if first is not None and node.at[0] > first:
            return False
        if function.name in self._facts["functions"] or any(self._announces(d) for d in function.decorators):
            return True
        return bool(function.name) and any(
            argument.name in self._facts["options"] and any(
                type(value) is p.Name and value.id == function.name
                for value in (argument.value.items if type(argument.value) is p.Sequence else (argument.value,)))
            for other in module.nodes(p.Call) for argument in other.args)

    def _announces(self, decorator: p.Expression) -> bool:
        """Whether a decorator says that the function runs at the start."""
        name = last_name(decorator.callee if type(decorator) is p.Call else decorator)
        if name not in self._facts["decorators"]:
            return False
        texts = [a.value.value for a in decorator.args if type(a.value) is p.Text] if type(decorator) is p.Call else []
        return not texts or texts[0] == "startup"

    def surely(self, module: Module, node: Any) -> bool:
        """Whether ``node`` is evaluated where its function is, and its failure ends what is around it."""
        if type(node) is p.Call and not _stops(node):
            return False
        below = node
        for above in module.parents(node):
            kind = type(above)
            if kind is p.Function and above.kind != "inline" and called_at_once(module, above) is None:
                break
            if kind is p.Loop:
                return False
            if kind is p.Try and any(below is s for s in above.body) and above.handlers:
                if not all(_leaves(h.body) for h in above.handlers):
                    return False
            elif kind is p.Call and type(above.callee) is p.Member and type(above.callee.of) is not p.Name:
                if above.callee.name == "catch" and not _stops(above):
                    return False
                if above.callee.name == "then" and len(above.args) > 1:
                    return False
            below = above
        return all(_is_main(c.test) or self._is_demand(c) for c in conditions(module, node)) and (
            not self.stages.only_in_development(module, node))

    def _is_demand(self, condition: Condition) -> bool:
        """Whether a condition holds since the program has stopped where it lacks some other variable."""
        branch = condition.module.parent(condition.test)
        if type(branch) is not p.If or condition.truth or branch.otherwise or type(branch.then[-1]) is not p.Raise:
            return False
        return bool(self.values.absent(condition.module, branch.test, True))


def _is_main(test: p.Expression) -> bool:
    """Whether a condition only says that the file is the program that was started."""
    return any(type(part) is p.Name and part.id == "__name__" for part in p.children(test))


def _stops(call: p.Call) -> bool:
    """Whether no function that is handed to ``call`` takes its failure away: each raises it, or ends the program."""
    functions = [a.value for a in call.args if type(a.value) is p.Function]
    return all(_leaves(function.body) for function in functions) and not (
        type(call.callee) is p.Member and call.callee.name == "catch" and not functions)


def _leaves(body: tuple[Any, ...]) -> bool:
    """Whether a block raises or ends the program somewhere."""
    waiting: list[Any] = list(body)
    while waiting:
        here = waiting.pop()
        if type(here) is p.Raise or (type(here) is p.Call and last_name(here.callee) in _LEAVES):
            return True
        waiting.extend(p.children(here))
    return False
