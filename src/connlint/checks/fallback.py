"""Environment reads that fall back to a loopback address where the variable is not set."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from msgspec.structs import replace

from connlint.checks.demands import declared_in_package, required_variables
from connlint.checks.destinations import Destinations
from connlint.checks.env_load import in_time
from connlint.checks.fallbacks import Fallback, fallbacks
from connlint.checks.hardcoded import addresses
from connlint.checks.itself import asks_itself, asks_own_routes, means_itself
from connlint.checks.lacking import Lacking
from connlint.checks.optional_clients import is_embedded
from connlint.checks.promised import is_promised
from connlint.checks.same_machine import SameMachine, has_port_of_file
from connlint.checks.wording import Wording, listed, shown_variable, wording_of
from connlint.model import program as p
from connlint.model.finding import Draft, Place, Step
from connlint.model.rule import Card, Rules
from connlint.patterns import regex
from connlint.project.abandoned import Abandoned
from connlint.project.address import OF_THE_MACHINE, loopback, shown
from connlint.project.build_runs import set_for_builds
from connlint.project.bundled import is_bundled
from connlint.project.callers import is_called_only_where
from connlint.project.companions import Companions
from connlint.project.conditions import Condition, conditions
from connlint.project.edits import require
from connlint.project.env_files import in_production
from connlint.project.importers import importers
from connlint.project.launched import Launched
from connlint.project.module import Module
from connlint.project.packages import IMAGES, package_root
from connlint.project.programs import programs_of
from connlint.project.project import Project
from connlint.project.rendering import is_for_pages, is_without_browser, runs_in_browsers_alone
from connlint.project.stage import Stages, stages_of, words_of
from connlint.project.uses import Use, uses
from connlint.project.validators import has_default_method
from connlint.project.values import Possible, Read, Values, values_of

_LOADED = regex(rb"\bload\s*:\s*\[")
_KEY = regex(r"[A-Za-z_$][\w$-]*$")
_PROPOSALS = ("default", "initial", "initialValue")
"""Where settings are told which factories to load."""
_NO_PAGE = ("postgres", "mysql", "mariadb", "mongodb", "redis", "amqp", "mssql", "sqlserver", "cockroachdb")
"""Schemes of addresses in which a word is the name of a user or a database."""


def check(module: Module, project: Project, card: Card, rules: Rules) -> Iterator[Draft]:
    """Drafts, one a read, of outcome "fallback", "deployed" (a deployment does not set the variable), "provided" (all
    that are known set it), "left" (other ways are tried before), "sent" (people are told it), "mailed" (in a letter),
    "unread" (nothing is seen to ask for it), "platform" (a variable of one is asked for before), "own" (the server asks
    itself), "rendered" (a server alone would take it, and none is seen to) and "agent"."""
    values = values_of(project, rules.apis)
    stages = stages_of(project, rules.apis, values)
    if stages.of_path(module.path) in card.options.get("silent_stages", ()):
        return
    for found, reads in meant(module, project, rules):
        made = draft(values, module, found, reads, outcome_of(module, project, rules, found, reads))
        yield in_time(project, card, rules, made)


def meant(module: Module, project: Project, rules: Rules) -> Iterator[tuple[Fallback, tuple[Read, ...]]]:
    """Those of `fallbacks` that say where to connect, with the reads that decide them."""
    memo = module.memo.get(meant)
    if memo is None:
        memo = module.memo[meant] = list(_meant(module, project, rules))
    yield from memo


def _meant(module: Module, project: Project, rules: Rules) -> Iterator[tuple[Fallback, tuple[Read, ...]]]:
    values = values_of(project, rules.apis)
    stages = stages_of(project, rules.apis, values)
    wording = wording_of(project, rules.apis)
    destinations = Destinations(rules.apis, values, wording, stages)
    prefixes = [prefix for entry in rules.apis.get("browser", ()) for prefix in entry["prefixes"]]
    seen: set[int] = set()
    programs = programs_of(project, stages)
    abandoned = Abandoned.of(project, stages)
    for found in fallbacks(values, module):
        if programs.by_hand(module):
            return
        reads = tuple(r for r in found.reads if not all(
            v in stages.flags or v in stages.variables or _is_none(project, module.path, wording, v)
            for v in r.variables))
        if not reads:
            continue
        first = reads[0]
        if any(id(r.site.node) in seen for r in found.reads):
            continue
        names = [v for r in reads for v in r.variables]
        text = found.value.text or ""
        sent = any(wording.sends(words_of(v)) for v in names)
        if any(wording.says("test", v) or (wording.allows(v, found.host) and not sent)
               or wording.identifies(v, found.host) for v in names):
            continue
        if any(wording.listens(v, found.host, text) for v in names):
            # ``API_HOST`` is what many listen on, and others connect to
            surely = found.host.everywhere or any(wording.says("bind", v) for v in names)
            asked_for = names[0].startswith(tuple(prefixes)) and _is_in_address(first.site.module, first.site.node)
            if not asked_for and (surely or not _is_dialed(values, module, found, names, rules)):
                continue
        if found.host.scheme.startswith(_NO_PAGE) and wording.says("stand-in", text):
            continue
        known = in_production(project.tree, module.path, names)
        if known is not None and loopback(known.written) is not None and not names[0].startswith(tuple(prefixes)):
            continue  # everything runs on one machine there
        if means_itself(project, rules, module.path, found.value, names, found.host):
            continue
        site = found.value.joint or first.site
        read_at = first.site.node if first.site.module is module else site.node
        unset = frozenset(v for r in found.reads for v in r.variables)
        if any(stages.only_in_development(module, at, found.value.conditions, unset) for at in (read_at, site.node)):
            continue
        if any(values.excludes(c, unset) for c in (
                *found.value.conditions, *conditions(module, site.node, leaves=stages.leaves))):
            # where that stands, one of the variables has a value
            seen.update(id(r.site.node) for r in found.reads)
            continue
        if is_called_only_where(project, module, site.node, partial(_is_excluded, values, stages, unset)):
            continue
        origin = found.value.origin
        if origin is not None and has_port_of_file(origin.module, origin.node, wording):
            continue
        if origin is not None and is_without_browser(origin.module, origin.node) and (
                runs_in_browsers_alone(origin.module) or stages.is_for_browsers(origin.module.path)):
            continue
        if any(abandoned.is_trial(module, at) for at in (read_at, site.node)):
            continue
        if _is_demanded_else(values, module, site.node, unset) or _is_proposed(module, site.node):
            continue
        if has_default_method(module, site.node):
            continue
        if required_variables(values, stages, module, site.node).intersection(names):
            continue
        if module.program.language != "python" and declared_in_package(values, stages, module.path).intersection(names):
            continue
        if is_promised(values, stages, module, reads, site.node):
            continue
        if asks_itself(values, programs, rules, module, found.node, found.value):
            continue
        if destinations.silent(module, found.node, names, found.host):
            continue
        if not found.host.scheme and not any(wording.says("remote", v) for v in names) and any(
                destinations.binds(r.site.module, r.site.node, found.host) for r in reads):
            continue
        # whoever looks at a page has none of what runs beside the server
        paged = stages.is_for_browsers(module.path) or all(
            name.startswith(tuple(prefixes)) or wording.says("pages", name) for name in names)
        if not paged and Companions.of(project, rules.apis).beside(module.path, names, found.host):
            continue
        if is_bundled(project, module.path, names, prefixes):
            continue
        if is_embedded(values, module, site.node) and Lacking.of(project, rules).evidence(module, found, reads) is None:
            continue  # whoever tells it another database tells its host, too
        if SameMachine.of(project, stages, wording, destinations).meets(module.path, names):
            continue
        if Launched.of(project, lambda path: stages.of_path(path) == "production").gives(module.path, names):
            continue
        seen.update(id(r.site.node) for r in found.reads)
        way = "sent" if sent else destinations.sending(
            module, found.node, names, partial(_dials, values, rules)) if found.host.scheme else ""
        if way:
            found = replace(found, sent=way == "sent", mailed=way == "mailed")
        elif destinations.seems_unread(module, found.node):
            found = replace(found, unread=True)
        elif asks_own_routes(values, programs, rules, module, found.node, found.host):
            found = replace(found, own=True)
        elif platform := _platform(project, wording, module.path, found.value):
            found = replace(found, platform=platform)
        yield found, reads


def _platform(project: Project, wording: Wording, path: str, value: Possible) -> str:
    """The variable of a platform that is asked for before the default ``value`` in the file ``path`` is taken; "" where
    there is none, or where an image is built of the package, which runs on no such platform."""
    asked = (v for r in value.absent for v in r.variables if wording.says("platform address", v))
    variable = next(asked, "")
    root = package_root(project, path)
    own = root.rpartition("/")[2].encode()  # an image at the top may well be of something else
    imaged = any(f"{root}/{name}".lstrip("/") in project.tree.paths or (
        name in project.tree.paths and own in (project.tree.read(name) or b"")) for name in IMAGES)
    return "" if imaged else variable


def _is_excluded(values: Values, stages: Stages, unset: frozenset[str], module: Module, node: Any) -> bool:
    """Whether the program does not come to ``node`` where none of the variables ``unset`` has a value."""
    return any(values.excludes(c, unset) for c in conditions(module, node, leaves=stages.leaves))


def _is_proposed(module: Module, node: Any) -> bool:
    """Whether ``node`` is what a question proposes to the person at the terminal, who may answer something else."""
    above = module.parent(node)
    if type(above) is not p.Entry or type(above.key) is not p.Text or above.key.value not in _PROPOSALS:
        return False
    question = module.parent(above)
    return type(question) is p.Record and any(
        type(entry.key) is p.Text and entry.key.value == "message" for entry in question.entries)


def _is_demanded_else(values: Values, module: Module, node: Any, unset: frozenset[str]) -> bool:
    """Whether ``node`` is taken in a case that the program asks for by itself, and without the variables it stops in
    all others: ``if (!url) { if (compiling) url = fallback; else throw … }``."""
    below = node
    for above in module.parents(node):
        if type(above) is p.If and above.otherwise:
            other = above.otherwise if any(below is one for one in above.then) else above.then
            if below is not above.test and type(other[-1] if other else None) is p.Raise and not any(
                    unset.intersection(r.variables) for truth in (True, False)
                    for r in values.absent(module, above.test, truth)):
                return any(unset.intersection(r.variables) for c in values.held(module, above)
                           for r in values.absent(c.module, c.test, c.truth))
        elif type(above) is p.Function:
            return False
        below = above
    return False


def _is_dialed(values: Values, module: Module, found: Fallback, names: list[str], rules: Rules) -> bool:
    """Whether a call of the same file is seen to connect to what the value becomes."""
    for use in uses(values, module, found.node):
        if use.kind == "argument" and use.call is not None:
            for _, _, value in addresses(use.module, use.call, values.project, rules):
                for q in values.possible(use.module, value):
                    if any(not set(names).isdisjoint(r.variables) for r in q.absent):
                        return True
    return False


def _dials(values: Values, rules: Rules, use: Use) -> bool:
    """Whether a use hands the value to a call that is known to connect."""
    return use.call is not None and any(True for _ in addresses(use.module, use.call, values.project, rules))


def _is_in_address(module: Module, node: Any) -> bool:
    """Whether ``node`` is put in where the host of an address stands: ``http://${host}:4000``."""
    below = node
    for above in module.parents(node):
        if type(above) is p.Concat:
            place = next((i for i, part in enumerate(above.parts) if part is below), 0)
            before = above.parts[place - 1] if place else None
            return type(before) is p.Text and before.value.endswith("://")
        if type(above) not in (p.Logical, p.Conditional):
            return False
        below = above
    return False


def _is_none(project: Project, path: str, wording: Wording, variable: str) -> bool:
    """Whether nobody has to set a variable: its platform does, or it is a path into settings that the project
    registers, whose own reads are looked at where they stand."""
    if wording.says("platform", variable):
        return True
    head, dot, _ = variable.partition(".")
    if not dot or not _KEY.match(head):
        return False
    told = re.compile(rb"\bregisterAs\(\s*['\"`]%s['\"`]" % head.encode())
    index = importers(project)
    if any(told.search(index.data(other)) for other in index.mentions("registerAs", path)):
        return True
    # a factory that is loaded as a whole has the key in the object that it gives back
    key = re.compile(rb"(?<![\w$.])['\"]?%s['\"]?\s*:\s*\{" % head.encode())
    return any(_LOADED.search(index.data(other)) for other in index.mentions("ConfigModule", path)) and any(
        key.search(index.data(other)) for other in index.mentions(head, path) if other != path)


def outcome_of(module: Module, project: Project, rules: Rules, found: Fallback,
               reads: tuple[Read, ...]) -> tuple[str, Step | None]:
    """How grave a fallback in ``module`` is, with the evidence where that is more than its own."""
    outcome = own_outcome(module, project, rules, found, reads)
    if outcome not in (None, "fallback"):
        return outcome, None
    lacking = Lacking.of(project, rules)
    evidence = lacking.evidence(module, found, reads)
    if outcome is None and evidence is not None:
        return "mailed" if found.mailed else "deployed", evidence
    given = lacking.provided(module, found, reads) or _built_with(module, project, rules, found, reads)
    if given is not None:
        return "provided", given
    told = in_production(project.tree, module.path, [v for r in reads for v in r.variables])
    if evidence is None and told is not None and told.written and loopback(told.written) is None:
        return "provided", Step(told.place, "a file of variables for production sets it")
    return "mailed" if found.mailed and outcome is None else "fallback", None


def _built_with(module: Module, project: Project, rules: Rules, found: Fallback,
                reads: tuple[Read, ...]) -> Step | None:
    """Where the project builds the code for browsers in ``module`` with one of the variables that a bundler knows."""
    prefixes = tuple(prefix for entry in rules.apis.get("browser", ()) for prefix in entry["prefixes"])
    names = [v for r in reads for v in r.variables if v.startswith(prefixes)]
    given = set_for_builds(project, module.path, names, even_empty=found.value.joint is not None and _takes_empty(
        found.value.joint.node, found.value.conditions))
    return Step(given[1], f"it is built with {given[0]} here") if given is not None else None


def _takes_empty(joint: Any, chosen: tuple[Condition, ...]) -> bool:
    """Whether the decision at ``joint`` leaves a variable that is set to nothing as it is: it asks for null or
    undefined alone."""
    if type(joint) is p.Logical:
        return joint.op == "nullish"
    return bool(chosen) and all(it.truth and _asks_for_nothing(it.test) for it in chosen)


def _asks_for_nothing(test: Any) -> bool:
    if type(test) is p.Logical:
        return test.op == "or" and _asks_for_nothing(test.left) and _asks_for_nothing(test.right)
    return type(test) is p.Compare and test.op == "==" and any(
        type(side) is p.Constant and side.value in ("null", "undefined") for side in (test.left, test.right))


def own_outcome(module: Module, project: Project, rules: Rules, found: Fallback, reads: tuple[Read, ...]) -> str | None:
    """How grave a fallback is whatever deployments say; None where one that does not set the variable is evidence."""
    names = [v for r in reads for v in r.variables]
    if any(wording_of(project, rules.apis).agent(name, found.host) for name in names):
        return "agent"
    origin = found.value.origin
    if origin is not None and is_without_browser(origin.module, origin.node) and is_for_pages(project, module.path):
        return "rendered"
    if found.sent or found.unread or found.own or found.platform:
        return "sent" if found.sent else "unread" if found.unread else "own" if found.own else "platform"
    if found.left:
        return "left"
    told = in_production(project.tree, reads[0].site.module.path, names)
    if told is not None or not found.sure or found.host.name.endswith(OF_THE_MACHINE):
        return "fallback"
    return None


def draft(values: Values, module: Module, found: Fallback, reads: tuple[Read, ...],
          outcome: tuple[str, Step | None]) -> Draft:
    """What is said about one fallback, at the read's own line."""
    first = next((r for r in reads if r.site.module is module and r.form != "import"), None)
    site = first.site if first else found.value.joint
    assert site is not None
    names = list(dict.fromkeys(shown_variable(v) for r in reads for v in r.variables))
    text = found.host.name if found.made else shown(found.value.text or "")
    place = Place(module.path, site.node.at)
    steps = [Step(place, f"{' or '.join(names)} is read here")]
    origin = found.value.origin
    if origin is not None:
        steps.append(Step(Place(origin.module.path, origin.node.at), f"without it the value is {text}"))
    fix = None
    # where an agent runs beside the process, the default is right; a browser may have no need of the variable, nor a
    # platform that sets another one
    proper = first is not None and not found.made and outcome[0] not in ("agent", "rendered", "platform")
    if proper and found.value.joint is not None:
        fix = require(values, reads, found.value.joint)
    if outcome[1] is not None:
        steps.append(outcome[1])
    slots = {"variable": names[0], "variables": listed(names), "default": text, "host": str(found.host),
             "platform": found.platform}
    return Draft(outcome[0], place, slots, names[0], tuple(steps), fix=fix)
