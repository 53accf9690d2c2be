"""A file of variables is loaded after a module has already read the environment.

The evaluation of the program is replayed from its entry up to the load. Reads that happen on the way are late: those at
the top level of a module, and those in functions and getters that something at a top level calls.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from connlint.checks.env_reads import Read, Reads
from connlint.checks.lifecycles import argument
from connlint.checks.load_edits import loaded_earlier
from connlint.checks.preloads import Preloads
from connlint.model import program as p
from connlint.model.finding import Draft, Fix, Place, Step
from connlint.model.rule import Card, Rules
from connlint.project.elision import stays
from connlint.project.environment import Environment
from connlint.project.evaluation import Event, Import, Order, Orders, evaluate
from connlint.project.importers import importers
from connlint.project.module import Module
from connlint.project.programs import Programs, programs_of
from connlint.project.project import Project
from connlint.project.stage import Stages, stages_of
from connlint.project.timeline import Chain, at_import, chains, holder
from connlint.project.values import values_of

Late = tuple[Event, Read, str]
"""A read that happens before a load, and the variable."""
_BESIDES = "besides"
"""What happens where variables are loaded by the way."""
_MOST_READERS = 80
_MOST_FUNCTIONS = 60
_MOST_ENTRIES = 3
_LEVELS = 3
Places = frozenset[tuple[str, tuple[int, int]]]
"""Files and offsets of expressions."""
_MOST_ABOVE = 12
"""How far calls are followed from a load in a function to the program's start: a load is near it, or it is late."""


class Load(Struct, frozen=True, eq=False):
    """A load of variables: a call, or the import of a module that loads when it is imported.

    ``node`` is where it happens in ``module``: where the load stands in a function, that is the call at the top level
    which leads to it, and the load itself is ``written`` in ``home``. ``started``: it happens only where ``module`` is
    the program that was started.
    """

    module: Module
    node: Any
    entry: dict[str, Any]
    hoisted: bool = False
    home: Module | None = None
    written: Any = None
    started: bool = False


class Loads:
    """What this check asks about one project."""

    def __init__(self, project: Project, card: Card, rules: Rules) -> None:
        self.project = project
        self.card = card
        self.values = values_of(project, rules.apis)
        self.environment: Environment = self.values.environment
        self.stages: Stages = stages_of(project, rules.apis, self.values)
        self.programs: Programs = programs_of(project, self.stages)
        self.orders = Orders(project, self.programs, rules.apis.get("evaluation", []))
        self.calls: dict[str, dict[str, Any]] = {}
        self.imports: dict[str, dict[str, Any]] = {}
        words: set[bytes] = set()
        self.besides: dict[str, dict[str, Any]] = {}
        for entry in rules.apis.get("loader", ()):
            if entry.get("besides"):
                self.besides.update(dict.fromkeys(entry["names"], entry))
                continue
            self.calls.update(dict.fromkeys(entry.get("names", ()), entry))
            self.imports.update(dict.fromkeys(entry.get("imports", ()), entry))
            words.update(word.encode() for word in entry.get("words", ()))
            if "words" not in entry:
                words.update(name.rpartition(".")[2].encode() for name in entry.get("names", ()) if "." in name)
            words.update(name.encode() for name in entry.get("imports", ()))
        self.words = tuple(sorted(words))
        self.reads = Reads(project, self.values, self.stages, card.options)
        self.preloads = Preloads(project, card.options, rules, self.programs, self.orders, self.may_load)
        self._loads: dict[str, list[Load]] = {}
        self._loaded_besides: dict[str, list[int]] = {}

    # -- loads ----------------------------------------------------------------------------------------------------

    def loads(self, module: Module) -> list[Load]:
        """The loads that importing ``module`` runs, calls of its own functions included."""
        found = self._loads.get(module.path)
        if found is None:
            found = self._loads[module.path] = sorted(self._find_loads(module), key=lambda load: load.node.at)
        return found

    def _find_loads(self, module: Module) -> Iterator[Load]:
        for statement in module.nodes(p.Import):
            entry = self.imports.get(statement.module)
            if entry is not None and not statement.type_only and at_import(module, statement):
                yield Load(module, statement, entry, True)
        for call in module.nodes(p.Call):
            entry = self._entry(module, call)
            if entry is None:
                continue
            if at_import(module, call):
                yield Load(module, call, entry)
            else:
                for chain in chains(self.project, module, call, within=()):
                    yield Load(module, chain.start.node, entry, home=module, written=call)

    def led_to(self, module: Module) -> Iterator[Load]:
        """The loads in functions of ``module`` that another file runs when it is imported, or the program's start."""
        above: frozenset[str] | None = None
        for call in module.nodes(p.Call):
            entry = self._entry(module, call)
            if entry is None or at_import(module, call):
                continue
            if at_import(module, call, main=True):
                yield Load(module, call, entry, started=True)
                continue
            above = self._above(module.path) if above is None else above
            first: dict[str, Load] = {}
            for chain in chains(self.project, module, call, within=above, begins=_begins):
                start = chain.start
                started = not at_import(start.module, start.node)
                if started or start.module.path != module.path:
                    load = Load(start.module, start.node, entry, home=module, written=call, started=started)
                    known = first.setdefault(start.module.path, load)
                    if (started, start.node.at) < (known.started, known.node.at):
                        first[start.module.path] = load  # what runs again later has loaded everything by then
            yield from first.values()

    def _above(self, path: str) -> frozenset[str]:
        """Files of the program that import ``path``, and those that import these, as long as they are few."""
        index = importers(self.project)
        found: set[str] = set()
        waiting = {path}
        for _ in range(_LEVELS):
            waiting = {above for here in waiting for above in index.near(here)
                       if self.stages.of_path(above) == "production"} - found
            found |= waiting
            if len(found) > _MOST_ABOVE:
                break
        return frozenset(found)

    def _entry(self, module: Module, call: p.Call) -> dict[str, Any] | None:
        if type(call.callee) is p.Name and call.callee.id == "require" and call.args:
            if type(call.args[0].value) is p.Text:
                return self.imports.get(call.args[0].value.value)
        name = self.environment.spelled(module, call.callee)
        entry = self.calls.get(name) if name is not None else None
        if entry is not None and any(argument(call, option) is not None for option in entry.get("unless", ())):
            return None
        return entry

    def loaded_besides(self, path: str) -> list[int]:
        """Where evaluating the file at ``path`` loads variables by the way, by a call that has another purpose."""
        found = self._loaded_besides.get(path)
        if found is None:
            data = importers(self.project).data(path)
            names = [name for name in self.besides if name.rpartition(".")[2].encode() in data]
            module = self.project.module(path) if names else None
            found = self._loaded_besides[path] = [
                call.at[0] for call in module.nodes(p.Call) if at_import(module, call)
                and (name := self.environment.spelled(module, call.callee)) in names and name is not None
                and self._still_loads(path, self.besides[name])] if module is not None else []
        return found

    def _still_loads(self, path: str, entry: dict[str, Any]) -> bool:
        """Whether the version that the package of the file at ``path`` asks for loads variables by the way."""
        linker: Any = self.project.linkers.get("javascript")
        folder = path.rpartition("/")[0]
        major = linker.resolver.packages.major(folder, entry["package"]) if linker is not None else None
        return major is not None and major < entry["below"]

    def may_load(self, path: str) -> bool:
        """Whether the bytes of a file hold a word of some loader."""
        data = importers(self.project).data(path)
        return any(word in data for word in self.words)

    def feeds(self, read: Read, load: Load) -> bool:
        """Whether the read is there to say which file is loaded, or whether one is."""
        if read.module.path != load.module.path:
            return False
        if load.node.at[0] <= read.node.at[0] < load.node.at[1]:
            return True
        tests = [above.test for above in load.module.parents(load.node) if type(above) in (p.If, p.Conditional)]
        deciding = [part.at for part in (load.node, *tests)]
        names = {name.id for name in load.module.nodes(p.Name) if any(a <= name.at[0] < b for a, b in deciding)}
        for above in read.module.parents(read.node):
            if type(above) in (p.Let, p.Assign):
                return type(above.target) is p.Name and above.target.id in names
            if type(above) is p.If:
                return any(s.at[0] <= load.node.at[0] < s.at[1] for s in (*above.then, *above.otherwise))
        return False

    # -- the replay -----------------------------------------------------------------------------------------------

    def entries(self, path: str, *, loading: bool = False, most: int = _MOST_ENTRIES) -> list[str]:
        """The files from which a program that evaluates ``path`` may start, at ``most`` so many; with ``loading``, also
        those of which nothing says so but that they load variables."""
        index = importers(self.project)
        found, seen, waiting = [], {path}, [path]
        while waiting and len(seen) < 60:
            here = waiting.pop(0)
            above = [x for x in index.of(here) if self.stages.of_path(x) == "production" and x not in seen]
            if not above and not any(x in seen for x in index.of(here)):
                found.append(here)
            seen.update(above)
            waiting += above
        found = [x for x in found if x == path or (loading and self.may_load(x))
                 or self.programs.starts(x, self.card.options["listens"])]
        return sorted(found, key=lambda x: (x.count("/"), x))[:most]

    def late(self, load: Load, entry: str, known: frozenset[str], wanted: Places | None = None) -> Late | None:
        """The first read that happens before ``load`` in the program that starts with ``entry``: one of ``wanted``, if
        these are given."""
        first = self._late(load, entry, known, "hoisted", wanted)
        if first is None or "unknown" not in self._orders_used:
            return first
        return first if self._late(load, entry, known, "written", wanted) is not None else None

    def _late(self, load: Load, entry: str, known: frozenset[str], unknown: Order,
              wanted: Places | None) -> Late | None:
        self._orders_used: set[Order] = set()

        def order(path: str) -> Order:
            found = self.orders.of(path, entry)
            self._orders_used.add(found)
            return unknown if found == "unknown" else found

        before = self._evaluated_before(load, entry, order)
        if before is None:
            return None
        readers = [path for path in before if self.reads.may_read(path)][:_MOST_READERS]
        happening = self._happening(readers, frozenset(before), known)
        if not happening:
            return None
        table = {path: [(read.node.at[0] if read.chain is None else read.chain.start.node.at[0], (read, name))
                        for read, name in rows] for path, rows in happening.items()}
        if load.module.path in table:
            # what one call both reads and loads happens in an order of its own
            table[load.module.path] = [row for row in table[load.module.path] if row[0] != load.node.at[0]]
        own = {load.module.path: [(load.node.at[0], load)]}

        def events(path: str) -> list[tuple[int, Any]]:
            besides = [(at, _BESIDES) for at in self.loaded_besides(path)]
            return [*table.get(path, ()), *own.get(path, ()), *besides]

        for event in evaluate(self.project, entry, order, events):
            if event.what is load or event.what is _BESIDES:
                return None
            if isinstance(event.what, tuple):
                read, name = event.what
                if wanted is not None and (read.module.path, read.node.at) not in wanted:
                    continue
                if self._holds(event.trail) and not self.feeds(read, load):
                    return event, read, name
        return None

    def way_to(self, load: Load, entry: str) -> tuple[Import, ...] | None:
        """The imports that lead from ``entry`` to a load."""
        def order(path: str) -> Order:
            found = self.orders.of(path, entry)
            return "hoisted" if found == "unknown" else found

        def events(path: str) -> list[tuple[int, Any]]:
            return [(load.node.at[0], load)] if path == load.module.path else []

        happened = evaluate(self.project, entry, order, events)
        return next((event.trail for event in happened if event.what is load), None)

    def _evaluated_before(self, load: Load, entry: str, order: Any) -> list[str] | None:
        """The modules whose evaluation begins before ``load``; None where another load comes first."""
        found: list[str] = []

        def events(path: str) -> list[tuple[int, Any]]:
            own = [(load.node.at[0], load)] if path == load.module.path else []
            if not self.may_load(path):
                return own
            module = load.module if path == load.module.path else self.project.module(path)
            return [*own, *((x.node.at[0], x) for x in self.loads(module))] if module is not None else own

        for event in evaluate(self.project, entry, order, events):
            if event.what is None:
                found.append(event.path)
            elif event.what.node.at == load.node.at and event.path == load.module.path:
                return found
            else:
                return None
        return None

    def _happening(self, readers: list[str], before: frozenset[str],
                   known: frozenset[str]) -> dict[str, list[tuple[Read, str]]]:
        """Reads by the module whose evaluation runs them."""
        found: dict[str, list[tuple[Read, str]]] = {}
        functions: dict[tuple[str, int], list[Chain]] = {}
        for path in readers:
            module = self.project.module(path)
            if module is None:
                continue
            for read in self.reads.of(module):
                name = self.reads.counts(read, known)
                if name is None and read.asked is None:
                    continue
                if name is not None and at_import(module, read.node):
                    found.setdefault(path, []).append((read, name))
                    continue
                around = holder(module, read.node)
                if around is None:
                    continue
                key = (path, around.node.at[0])
                if key not in functions:
                    if len(functions) >= _MOST_FUNCTIONS:
                        continue
                    functions[key] = list(chains(self.project, module, read.node, within=before))
                for chain in functions[key]:
                    start = chain.start.module.path
                    late = Read(module, read.node, read.variables, chain) if name is not None else read.told_by(chain)
                    said = name or (self.reads.counts(late, known) if late is not None else None)
                    if start in before and late is not None and said is not None:
                        found.setdefault(start, []).append((late, said))
        return found

    def _holds(self, trail: tuple[Import, ...]) -> bool:
        """Whether every import of the trail is one at run time: not for types alone, not in a function."""
        return all(self._runs(step) for step in trail)

    def _runs(self, step: Import) -> bool:
        module = self.project.module(step.importer)
        if module is None:
            return False
        statement: Any
        for statement in (*module.nodes(p.Import), *module.nodes(p.Export)):
            if statement.at[0] <= step.at < statement.at[1]:
                if type(statement) is p.Export:
                    return not statement.type_only
                return at_import(module, statement) and stays(module, statement)
        return True


def _begins(module: Module, node: Any) -> bool:
    """Whether ``node`` is evaluated when ``module`` is imported or started."""
    return at_import(module, node, main=True)


def loads_of(project: Project, card: Card, rules: Rules) -> Loads:
    """The one `Loads` of a card and project."""
    key = (Loads, card.id)
    found: Loads | None = project.memo.get(key)
    if found is None:
        found = project.memo[key] = Loads(project, card, rules)
    return found


def loaded_after(court: Loads, path: str, reads: Places) -> tuple[Load, str] | None:
    """The load of variables that comes after one of ``reads`` in a program that evaluates ``path``, and the variable.

    Loads are looked for where a program starts, and in what that file imports itself.
    """
    index = importers(court.project)
    for entry in court.entries(path, loading=True):
        for near in dict.fromkeys((entry, *(target for _, target, _ in index.targets(entry)))):
            if not court.may_load(near) or court.stages.of_path(near) != "production":
                continue
            module = court.project.module(near)
            for load in court.loads(module) if module is not None else ():
                if court.stages.only_in_development(load.module, load.node):
                    continue
                found = court.late(load, entry, court.reads.named(near), reads)
                if found is not None and not court.preloads.before(load.module, entry):
                    return load, found[2]
    return None


def in_time(project: Project, card: Card, rules: Rules, draft: Draft) -> Draft:
    """``draft`` of a read without its edit where the variables are loaded after that read: to require one there would
    stop a program that has it. The option ``loads`` of the ``card`` names the rule that knows of loads."""
    loads = rules.cards.get(card.options.get("loads", ""))
    module = project.module(draft.place.path) if draft.fix is not None and loads is not None else None
    if module is None or loads is None:
        return draft
    read = next((node for kind in (p.Member, p.Index, p.Call, p.Logical, p.Conditional) for node in module.nodes(kind)
                 if node.at == draft.place.at), None)
    if read is None or not at_import(module, read):
        return draft
    start, end = draft.place.at
    reads = frozenset((module.path, node.at) for kind in (p.Member, p.Index, p.Call) for node in module.nodes(kind)
                      if start <= node.at[0] and node.at[1] <= end)
    late = loaded_after(loads_of(project, loads, rules), module.path, reads)
    return replace(draft, fix=None) if late is not None else draft


def check(module: Module, project: Project, card: Card, rules: Rules) -> Iterator[Draft]:
    """Loads in ``module`` before which something has read the environment."""
    court = loads_of(project, card, rules)
    if court.stages.of_path(module.path) != "production":
        return
    module = project.module(module.path) or module  # the whole of it, its callers too
    told: set[Any] = set()
    for load in (*court.loads(module), *court.led_to(module)):
        written = load.written or load.node
        if written.at in told or court.stages.only_in_development(module, written):
            continue
        if court.stages.of_path(load.module.path) != "production":
            continue
        known = court.reads.named(module.path)
        for entry in [load.module.path] if load.started else court.entries(load.module.path):
            found = court.late(load, entry, known)
            if found is not None and not court.preloads.before(load.module, entry):
                told.add(written.at)
                yield _draft(load, found, loaded_earlier(court, load, found))
                break


def _draft(load: Load, found: Late, fix: Fix | None) -> Draft:
    event, read, name = found
    module, written = load.home or load.module, load.written or load.node
    text = " ".join(module.source.slice(written.at).split())
    text = text if len(text) <= 60 else text[:59] + "…"
    steps = [Step(Place(step.importer, (step.at, step.at)), f"{step.importer} imports {step.target}")
             for step in event.trail]
    if read.chain is not None:
        for number, link in enumerate(read.chain.links):
            called = " ".join(link.module.source.slice(link.node.at).split())[:60]
            steps.append(Step(Place(link.module.path, link.node.at),
                              f"{link.module.path} runs {called}" if number == 0 else f"which runs {called}"))
    steps.append(Step(Place(read.module.path, read.node.at), f"{name} is read here, before the load"))
    if load.written is not None:
        steps.append(Step(Place(load.module.path, load.node.at), f"{load.module.path} gets to the load only here"))
    steps.append(Step(Place(module.path, written.at), "the variables are loaded only here"))
    outcome = "late" if event.path != load.module.path else "same" if read.module.path == module.path else "called"
    return Draft(
        outcome, Place(module.path, written.at),
        {"load": text, "module": event.path, "variable": name, "reader": read.module.path}, name, tuple(steps),
        fix=fix,
    )
