"""Edits as intents: what shall be changed, written by the language of the file that is concerned."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from connlint.model import program as p
from connlint.model.finding import Fix
from connlint.model.source import Source
from connlint.patterns import regex
from connlint.project.announced import announcement, builds_know, is_announced, tests_know
from connlint.project.bundled import is_for_pages, is_inlined
from connlint.project.corrections import without_idle_imports
from connlint.project.defaults import strict_read, without_declared_default, without_default
from connlint.project.dispensable import is_dispensable
from connlint.project.importers import importers
from connlint.project.module import Module
from connlint.project.project import Project
from connlint.project.requirers import requirer
from connlint.project.settings import requiring_link
from connlint.project.values import Read, Site, Values

_REPLACED = regex(r"(?:^|/)nuxt\.config\.[cm]?[jt]s$")
"""What Nuxt's configuration holds is a default for variables that are read when it runs, and a throw ends its build."""
_TIMERS = frozenset(("setInterval", "setTimeout", "setImmediate", "queueMicrotask"))
_EMITTERS = frozenset(("on", "once", "addListener", "prependListener", "addEventListener", "forEach"))
_ROUTES = frozenset(("get", "post", "put", "patch", "delete", "all", "use", "head", "options"))
_HEARING = frozenset(("express-async-errors", "express-promise-router", "@awaitjs/express", "express-async-router"))
"""Packages that have Express hear of rejections."""
_LOOKING_UP = ("get", "getattr", "getenv", "pop", "setdefault")
"""Functions and methods whose last argument is what they give where they find nothing."""
_HOOK = regex(r"use(?:State|Effect|Ref|Reducer|LayoutEffect|Context)")
_LOAD = regex(rb"(?m)^(?:dotenv\.)?load_dotenv\(")
_BUILT_WITH = regex(r"(?:^|/)next\.config\.[cm]?[jt]s$")
_WINDOW = regex(r"\btypeof (?:window|document)\s*!==?\s*[\"']undefined")
_COMMENT_LINE = regex(r"\s*(?://|/\*|\*|#)")
_DEFAULTING = regex(r"(?i)(?:(?:^|\s)(?://|#)|/\*|^\s*\*).*(?<![\w-])"
                    r"(?:defaults?|fall(?:s|ing)?[ -]?backs?|localhost|127\.0\.0\.1|0\.0\.0\.0)\b")
_DEFAULTS = regex(r"(?i)\b(?:defaults?|fall(?:s|ing)?[ -]?backs?)\b.*\b(?:url|host|address|env|environment|localhost)\b"
                  r"|\blocalhost\b|127\.0\.0\.1")
"""What the text of a function says of a default that is an address."""


def require(values: Values, reads: tuple[Read, ...], joint: Site) -> Fix | None:
    """Make the program stop where ``reads`` find nothing, in place of the fallback at ``joint``.

    Where nobody is told of the variable, the example that the project has for its variables names it as well. None
    where it has none, where they do not stand together, where the reader is not the language's own, where another
    variable says it all and is not asked first, or where the edit cannot be written.
    """
    project = values.environment.project
    told = any(is_announced(project, name) for read in reads for name in read.variables)
    names = [name for read in reads for name in read.variables]
    if told:
        return without_idle_imports(project, joint.module, _required(values, reads, joint))
    default = _default(values, joint)
    if len(names) != 1 or type(default) is not p.Text or type(joint.node) is p.Let:
        return None  # which variable fills the field of a class may be told where the class is used
    more = announcement(project, joint.module.path, names[0], default.value)
    fix = without_idle_imports(project, joint.module, _required(values, reads, joint)) if more is not None else None
    return None if fix is None or more is None else replace(fix, edits=(*fix.edits, more))


def _default(values: Values, joint: Site) -> p.Expression | None:
    """What stands in for the variable at ``joint``, as it is written there."""
    if type(joint.node) is p.Logical:
        return joint.node.right
    access = values.environment.access(joint.module, joint.node)
    declared = (one for one in values.environment.declarations(joint.module) if one.node is joint.node)
    found = access or next(declared, None)
    return found.default if found is not None else None


def _required(values: Values, reads: tuple[Read, ...], joint: Site) -> Fix | None:
    read = reads[0]
    module = read.site.module
    python = module.program.language == "python"
    if any(r.site.module is not module or len(r.variables) != 1 for r in (read, *reads)) or joint.module is not module:
        return None
    if _is_second_choice(module, joint.node) or _REPLACED.search(module.path):
        return None
    project = values.environment.project
    if _is_for_want(module, joint.node) or _is_in_a_browser(module, read.site.node):
        return None
    if any(is_dispensable(project, module, r) for r in reads) or _is_explained(module, read.site.node, joint.node):
        return None
    if any(is_for_pages(project, module.path, name, values.browser) for r in reads for name in r.variables):
        return None  # a page that stays empty tells nobody more than one that reaches nothing
    if _is_for_visitors(module, read.site.node):
        return None
    unheard = not python and _ends_unheard(module, read.site.node, values)
    # what a framework's configuration holds in functions is asked for by its build as well
    early = unheard or module.function(read.site.node) is None or _BUILT_WITH.search(module.path) is not None
    if early and not any(tests_know(project, module.path, name) for r in reads for name in r.variables):
        return None  # what the tests import would stop them
    if early and python and _is_loaded_late(project, module):
        return None
    if early and not any(builds_know(project, module.path, name, values.browser)
                         for r in reads for name in r.variables):
        return None  # and so would what a build loads
    variable = " or ".join(dict.fromkeys(r.variables[0] for r in reads))
    if len(reads) == 1 and (fix := _without_default(values, module, read.site.node, joint.node, variable)) is not None:
        return fix
    if len(reads) > 1:
        joined = all(_is_in_chain(joint.node, r.site.node) for r in reads)
        if not joined or not all(_is_plain(values, module, r.site.node) for r in reads):
            return None
        if python:
            return _last_of_several(module, reads, joint.node, f"Require {variable}")
    node = _replaceable(values, module, read.site.node, joint.node, python)
    if node is None:
        return None
    if python:
        from connlint.languages.python.rewrite import require as require_python

        return require_python(module.source, module.program, node.at, variable)
    from connlint.languages.javascript.requiring import require as require_javascript

    inlined = is_inlined(project, module.path, reads[0].variables[0], values.browser)
    helper = requirer(values, module, node) if len(reads) == 1 and not inlined else None
    return require_javascript(
        module.source, module.program, node.at, variable, helper.name if helper else None, inlined=inlined,
        imported=helper.module if helper is not None else "", at_start=unheard)


def _is_loaded_late(project: Project, module: Module) -> bool:
    """Whether another file of Python loads the variables behind the imports by which it comes to this one."""
    index = importers(project)
    for path in index.mentions("load_dotenv", module.path):
        load = _LOAD.search(index.data(path))
        if load is None or path == module.path:
            continue
        before = [target for at, target, _ in index.targets(path) if at < load.start()]
        if module.path in index.reachable(before) or module.path in before:
            return True
    return False


def _is_for_want(module: Module, joint: Any) -> bool:
    """Whether what is read gets a name that calls it a default: something else comes first."""
    statement = module.statement(joint)
    target = statement.target if type(statement) is p.Let and statement.value is joint else None
    return type(target) is p.Name and "default" in target.id.lower()


def _is_in_a_browser(module: Module, read: Any) -> bool:
    """Whether the code around a read has seen that it runs in a browser."""
    below = read
    for above in module.parents(read):
        test = getattr(above, "test", None) if type(above) in (p.If, p.Conditional) else None
        if test is not None and below is not test and _WINDOW.search(module.source.slice(test.at)):
            return True
        below = above
    return False


def _is_for_visitors(module: Module, read: Any) -> bool:
    """Whether a component of React that is made for browsers reads the variable when somebody does something, or in an
    effect: only what is read while it is drawn is seen by its build. What has a state is only made in browsers."""
    function = module.function(read)
    if function is not None and any(type(call.callee) is p.Name and _HOOK.fullmatch(call.callee.id)
                                    for call in module.nodes_of(function, p.Call)):
        return True
    if function is None or "use client" not in module.program.directives:
        return False
    above: Any = module.parent(function)
    name = function.name or (above.target.id if type(above) is p.Let and type(above.target) is p.Name else "")
    return module.function(function) is not None or not name[:1].isupper()


def _ends_unheard(module: Module, read: Any, values: Values) -> bool:
    """Whether what is thrown around ``read`` rejects a promise that nobody has: the program ends when somebody asks,
    and not when it starts.

    Facts: Node.js ends at a rejection without a handler; emitters and timers drop what their callbacks return, and so
    do routes of Express before its version 5, unless a package handles them.
    """
    function = module.function(read)
    argument = module.parent(function) if function is not None and function.is_async else None
    call = module.parent(argument) if type(argument) is p.Argument else None
    if type(call) is not p.Call:
        return False
    callee: Any = call.callee
    if type(callee) is p.Name:
        return callee.id in _TIMERS
    if type(callee) is not p.Member:
        return False
    packages: Any = values.environment.project.linkers["javascript"].resolver.packages  # type: ignore[attr-defined]
    folder = module.path.rpartition("/")[0]
    version = packages.major(folder, "express") if callee.name in _ROUTES else None
    heard = not _HEARING.isdisjoint(packages.dependencies(folder))
    return callee.name in _EMITTERS or (version is not None and version < 5 and not heard)


def _without_default(values: Values, module: Module, read: Any, joint: Any, variable: str) -> Fix | None:
    """The read without its default, where what reads then stops the program by itself."""
    access = values.environment.access(module, read)
    if type(joint) is p.Logical and access is not None:
        return strict_read(module, access, joint, variable)
    if read is not joint:
        return None
    for declaration in values.environment.declarations(module):
        if declaration.node is read:
            return without_declared_default(module, declaration, variable,
                                            requiring_link(values.environment, module, declaration))
    return None if access is None or access.plain else without_default(module, access, variable)


def _last_of_several(module: Module, reads: tuple[Read, ...], joint: Any, title: str) -> Fix | None:
    """Python's ``a or b or "…"``, of which the last read has to find something where the others do not."""
    from connlint.languages.python.rewrite import require

    before = joint.left.right if type(joint.left) is p.Logical else None
    last = next((read for read in reads if read.site.node is before), None)
    if before is None or last is None:
        return None
    fix = require(module.source, module.program, (before.at[0], joint.at[1]), last.variables[0])
    return replace(fix, title=title) if fix is not None else None


def _is_explained(module: Module, read: Any, joint: Any) -> bool:
    """Whether a comment beside the lines of a read and its default, or right above them or the statement, tells of the
    default: it would stay."""
    source = module.source
    first, last = source.line(read.at[0]), source.line(max(read.at[0], joint.at[1]))
    begins = source.line(module.statement(read).at[0])
    lines = [*_said_above(source, begins), *_said_above(source, first), *range(first, last + 1)]
    function = module.function(read)
    top: Any = function.body[0] if function is not None and function.body else None
    if top is not None and top is module.statement(read):  # what is said of the function is said of this
        lines += _said_above(source, source.line(module.statement(function).at[0]))
    if type(top) is p.Evaluate and type(top.value) is p.Text and _DEFAULTS.search(source.slice(top.at)):
        return True
    return any(_DEFAULTING.search(source.line_text(line)) for line in lines)


def _said_above(source: Source, line: int) -> range:
    """The lines of the comment right above a line."""
    first = line
    while first > 1 and _COMMENT_LINE.match(source.line_text(first - 1)):
        first -= 1
    return range(first, line)


def _is_second_choice(module: Module, joint: Any) -> bool:
    """Whether a read is what another look-up, or an option of a command, is given for its default: it is evaluated
    where nobody needs it."""
    given = module.parent(joint)
    if type(given) is p.Argument and given.name == "default":
        return True
    call = module.parent(given) if type(given) is p.Argument else None
    if type(call) is not p.Call or call.args[0] is given:
        return False
    return (getattr(call.callee, "name", "") or getattr(call.callee, "id", "")) in _LOOKING_UP


def _is_plain(values: Values, module: Module, read: Any) -> bool:
    access = values.environment.access(module, read)
    return access is not None and access.plain


def _is_in_chain(joint: Any, read: Any) -> bool:
    """Whether ``read`` is one of several that are tried before the last operand: ``a || read || "…"``."""
    if type(joint) is not p.Logical or joint.op == "and":
        return False
    return joint.left is read or joint.right is read or _is_in_chain(joint.left, read)


def _replaceable(values: Values, module: Module, read: Any, joint: Any, python: bool) -> Any:
    """The node that holds the read and its fallback and nothing else; None where there is no such node."""
    if type(read) is p.Entry:
        return read.value if type(read.value) is p.Default else None
    access = values.environment.access(module, read)
    if access is None or not access.plain:
        return None
    kind = type(joint)
    if joint is read:
        return joint if not access.writes else None
    if kind is p.Logical and joint.op != "and":
        chained = not python and joint.right is not read and _is_in_chain(joint, read)
        asked = not python and _asked_of(joint.left) is read
        return joint if joint.left is read or chained or asked else None
    if kind is p.Assign and joint.op in ("or", "nullish"):
        return joint if joint.target is read else None
    if kind is p.Conditional and not python:
        return joint if any(_same(module, arm, read) for arm in (joint.then, joint.otherwise)) else None
    return None


def _asked_of(value: Any) -> Any:
    """What a chain of members and calls begins with, of which the first is asked with a ``?.`` alone."""
    while type(value) is not p.Member or not value.maybe:
        if type(value) not in (p.Call, p.Member):
            return None
        value = value.callee if type(value) is p.Call else value.of
    return value.of


def _same(module: Module, arm: Any, read: Any) -> bool:
    """Whether two expressions are written alike."""
    return module.source.slice(arm.at) == module.source.slice(read.at)
