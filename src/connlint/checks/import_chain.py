"""Calls at module scope that reach, through functions and constructors of the project, what builds a client.

The search starts at the constructions and goes outwards (`connlint.project.timeline`), so it is one for the whole
project, whatever files are to be reported on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from connlint.checks.asking import asking, shown_call
from connlint.checks.constructions import Facts, Judge, judge, said, variable
from connlint.checks.kept import asks_for_missing, kept_for_reloads
from connlint.checks.pools import recommended
from connlint.model import program as p
from connlint.model.finding import Draft, Place, Step
from connlint.model.rule import Card, Rules
from connlint.project.callees import last_name
from connlint.project.clients import Construction, files_with
from connlint.project.conditions import conditions
from connlint.project.importers import importers
from connlint.project.module import Module
from connlint.project.programs import COMMANDS
from connlint.project.project import Project
from connlint.project.suspects import suspects
from connlint.project.timeline import Chain, Uses, at_import, chains, holder, is_main_test, run_at_import

Way = tuple[Chain, Construction]
Asked = tuple[Chain, Construction, Module, p.Call]
"""A way to a call that makes a client connect: the client, the file of the call, and the call."""


def check(project: Project, card: Card, rules: Rules) -> Iterator[Draft]:
    """Every call at module scope that leads to a construction in a function of the project."""
    court = judge(project, card, rules)
    found: dict[tuple[str, int], list[Way]] = {}
    asked: dict[tuple[str, int], list[Asked]] = {}
    uses: Uses = {}
    within = _run_by_reported(project)
    for path in files_with(project, rules, frozenset(card.options["kinds"]), within):
        if court.stages.of_path(path) == "production":
            for chain, built in _ways(court, path, uses, within):
                found.setdefault((chain.start.module.path, chain.start.node.at[0]), []).append((chain, built))
            for one in _asked(court, path, uses, within):
                asked.setdefault((one[0].start.module.path, one[0].start.node.at[0]), []).append(one)
            if project.trim():
                uses.clear()
    for key in sorted(asked.keys() - found.keys()):
        yield _draft_of_asked(*min(asked[key], key=lambda one: len(one[0].links)))
    together: dict[tuple[str, str], list[tuple[Way, Facts]]] = {}
    for key in sorted(found):
        chain, built = way = _clearest(found[key])
        calls = tuple((link.module, link.node) for link in chain.links)
        facts = court.facts(built, chain.start.module, calls, sure=not _depends(chain, built))
        if facts.outcome in ("plain", "unset") and court.programs.is_entry(chain.start.module):
            continue  # where a program is put together is the place for it, and for what it demands
        if not recommended(chain.start.module, facts.outcome, card.options):
            together.setdefault((key[0], built.name), []).append((way, facts))
    for rows in together.values():
        if len(rows) > card.options["together"]:
            (chain, built), facts = rows[0]
            yield _draft(chain, built, facts, [way for way, _ in rows[1:]])
        else:
            for (chain, built), facts in rows:
                yield _draft(chain, built, facts, [])


_FEW = 30
"""Files behind one that is reported on, up to which the calls that lead there are followed; after that its imports
are."""


def _run_by_reported(project: Project) -> frozenset[str] | None:
    """The files in which a chain may stand that starts in a file which is reported on; None where all are."""
    if project.reported is None:
        return None
    search = suspects(project)
    found: set[str] = set()
    for path in search.calling_ours(project.reported):
        module = project.module(path)
        files = run_at_import(project, module, _FEW) if module is not None else frozenset()
        found |= search.index.reachable([path]) if files is None else files
    return frozenset(found)


def _ways(court: Judge, path: str, uses: Uses, within: frozenset[str] | None) -> Iterator[Way]:
    """The chains to every construction in a function of the file ``path``; ``within``, if given, has all files of
    chains that matter."""
    module = court.project.module(path)
    if module is None:
        return
    known: dict[tuple[int, int], list[Chain]] = {}
    for built in court.constructions(module):
        around = holder(module, built.call)
        if around is None or not _concerns(court, built):
            continue
        if around.node.at not in known:
            ways = chains(court.project, module, built.call, court.in_production, uses, within)
            known[around.node.at] = [chain for chain in ways if _counts(court, chain)]
        for chain in known[around.node.at]:
            yield chain, built


def _asked(court: Judge, path: str, uses: Uses, within: frozenset[str] | None) -> Iterator[Asked]:
    """The chains to every call in a function that makes a client connect which the file ``path`` builds at its top
    level."""
    module = court.project.module(path)
    for built in court.constructions(module) if module is not None else ():
        if court.stages.only_in_development(built.module, built.call):
            continue
        for home, call in asking(court, built, within):
            for chain in chains(court.project, home, call, court.in_production, uses, within):
                sure = not any(held.truth for at, node in [*((link.module, link.node) for link in chain.links[1:]),
                                                           (home, call)] for held in conditions(at, node))
                if sure and _counts(court, chain):
                    yield chain, built, home, call


def _draft_of_asked(chain: Chain, built: Construction, home: Module, call: p.Call) -> Draft:
    """The finding about a call at module scope that asks a client which is there already."""
    start, what = chain.start, shown_call(home, call)
    steps = [Step(Place(link.module.path, link.node.at), f"{_call(link.module, link.node)} runs while "
                  f"{link.module.path} is imported" if number == 0 else f"which calls {_call(link.module, link.node)}")
             for number, link in enumerate(chain.links)]
    steps += [Step(Place(home.path, call.at), f"which runs {what}"),
              Step(Place(built.module.path, built.call.at), f"{said(built)} has built it, to connect when it is asked")]
    symbol = variable(start.module, start.node) or last_name(getattr(start.node, "callee", start.node)) or what
    return Draft("blocks", Place(start.module.path, start.node.at),
                 {"call": _call(start.module, start.node), "what": what, "where": home.path}, symbol, tuple(steps))


def _concerns(court: Judge, built: Construction) -> bool:
    """Whether a construction stands in a function, is of a kind to report, and not for development only."""
    if built.entry["kind"] not in court.options["kinds"] or at_import(built.module, built.call):
        return False
    return not court.stages.only_in_development(built.module, built.call)


def _clearest(ways: list[Way]) -> Way:
    """Of several constructions behind one call, the shortest way to one that surely happens, if there is one."""
    return min(ways, key=lambda way: (_depends(*way), len(way[0].links)))


def _depends(chain: Chain, built: Construction) -> bool:
    """Whether the construction, or a call on the way to it, stands under a test other than for its own absence."""
    places = [(link.module, link.node) for link in chain.links[1:]] + [(built.module, built.call)]
    return any(held.truth and not asks_for_missing(module, held.test, node)
               for module, node in places for held in conditions(module, node))


def _counts(court: Judge, chain: Chain) -> bool:
    """Whether the call at module scope is one to report: not cached, not a program's own start, not for development."""
    start = chain.start
    module = start.module
    if kept_for_reloads(module, start.node) or court.stages.only_in_development(module, start.node):
        return False
    if any(court.stages.only_in_development(link.module, link.node) for link in chain.links[1:]):
        return False
    started = court.programs.is_entry(module) and not _is_served(court, module)
    return not started and not _serves_itself(court, module) and not court.programs.is_script(
        module, court.options["applications"], court.options["listens"])


def _serves_itself(court: Judge, module: Module) -> bool:
    """Whether a file of JavaScript that nobody imports waits for requests itself: it is started, by whatever command,
    though it gives its application to tests."""
    programs = court.programs
    return (module.program.language != "python" and programs.starts(module.path, court.options["listens"])
            and not programs.by_convention(module) and programs.imported_by(module.path) is None)


def _is_served(court: Judge, module: Module) -> bool:
    """Whether a file of Python, however it is called, is imported by a server that is told so, or by tests, for the
    application that it makes."""
    if module.program.language != "python" or any(
            type(it) is p.If and is_main_test(module, it.test) for it in module.program.body):
        return False
    applications = court.options["applications"]
    if not any(module.qualified(call.callee) in applications and at_import(module, call)
               for call in module.nodes(p.Call)):
        return False
    if importers(court.project).of(module.path):
        return True
    stem = re.escape(module.path.rpartition("/")[2].removesuffix(".py").encode())
    named = re.compile(rb"(?<![\w-])%s:\w" % stem)
    return court.programs.told(named, COMMANDS, module.path) is not None


def _draft(chain: Chain, built: Construction, facts: Facts, more: list[Way]) -> Draft:
    """The finding; ``more`` are further calls of the same file that build the same kind of client."""
    start = chain.start
    what = said(built)
    steps = []
    for number, link in enumerate(chain.links):
        place = Place(link.module.path, link.node.at)
        text = _call(link.module, link.node)
        message = f"{text} runs while {link.module.path} is imported" if number == 0 else f"which calls {text}"
        steps.append(Step(place, message))
    steps.append(Step(Place(built.module.path, built.call.at), f"which runs {what}"))
    slots = {"call": _call(start.module, start.node), "what": what, "where": built.module.path, **facts.slots}
    symbol = variable(start.module, start.node) or last_name(getattr(start.node, "callee", start.node)) or what
    related = tuple(Step(Place(way.start.module.path, way.start.node.at),
                         f"{_call(way.start.module, way.start.node)} builds one too") for way, _ in more[:20])
    return Draft(facts.outcome, Place(start.module.path, start.node.at), slots, symbol, (*steps, *facts.steps), related)


def _call(module: Module, node: object) -> str:
    """A call or member as the source writes it, without arguments, in at most 60 characters."""
    if type(node) is p.Call:
        text = " ".join(module.source.slice(node.callee.at).split())
        text = f"new {text}()" if node.new else f"{text}()"
    else:
        text = " ".join(module.source.slice(node.at).split())  # type: ignore[attr-defined]
    return text if len(text) <= 60 else "…" + text[-59:]
