"""Reports made by hand for the tests of the reporters: small sources, and findings that point at words in them."""

from __future__ import annotations

from connlint.model.finding import Edit, Finding, Fix, Place, Step, Suppression
from connlint.model.program import Problem
from connlint.model.report import Report
from connlint.model.rule import Card, Outcome, Rules
from connlint.model.source import Source

FILES = {
    "src/db.py": (
        "import os\n\n\n"
        'url = os.getenv("DATABASE_URL", "postgresql://localhost/app")\n\n\n'
        "async def start():\n"
        "\t連接 = '𝒳'; timer = set_timer(\n\t\tlambda: None,\n\t)\n"
    ),
    "deploy/compose.yml": "services:\r\n  api:\r\n    environment:\r\n      REDIS_URL: redis://redis\r\n",
    "web/min.js": "x=1;" * 60 + "setInterval(f,1e3);" + "y=2;" * 200,
    "a b/ü.py": "\ufefffirst = 1  # connlint: ignore[open-door] the sidecar\n",
}
SOURCES = {path: Source.decode(path, text.encode()) for path, text in FILES.items()}


def place(path: str, start: str, end: str | None = None) -> Place:
    """From the first ``start`` to the end of it, or of the next ``end``."""
    source = SOURCES[path]
    first = source.text.index(start)
    last = first + len(start) if end is None else source.text.index(end, first) + len(end)
    return Place(path, (source.char_to_byte(first), source.char_to_byte(last)))


def card(rule: str, family: str, level: str = "warning") -> Card:
    manual = f"## What it reports\n\nA {rule}.\n\n## Reported\n\n```python\nx = 1\n```"
    return Card(rule, f"The {rule}", family, "check", level, "high", {"o": Outcome("m", "error")}, {}, (), manual,
                f"A {rule} | that is open. And more.")


RULES = Rules({c.id: c for c in (
    card("open-door", "doors", "error"), card("shut-door", "doors", "note"), card("dim-lamp", "lamps"),
)}, {})

_READ = 'os.getenv("DATABASE_URL", "postgresql://localhost/app")'
FINDINGS = (
    Finding("open-door", "error", "DATABASE_URL falls back to localhost", place("src/db.py", _READ), "DATABASE_URL",
            steps=(Step(place("src/db.py", '"postgresql://localhost/app"'), "the default names this machine"),
                   Step(place("deploy/compose.yml", "environment"), "`api` sets [other] variables")),
            fix=Fix("Require the variable", (Edit(place("src/db.py", _READ), 'os.environ["DATABASE_URL"]'),))),
    Finding("dim-lamp", "warning", "The timer is thrown away", place("src/db.py", "set_timer(", "\t)"), "timer",
            related=(Step(place("web/min.js", "setInterval"), "so is [this] one"),), notes=("it is [documented]",)),
    Finding("dim-lamp", "warning", "The handle is thrown away", place("web/min.js", "setInterval(f,1e3)"), "interval"),
    Finding("shut-door", "note", "This door is shut", place("deploy/compose.yml", "REDIS_URL"), "REDIS_URL",
            fix=Fix("Open it", (Edit(place("deploy/compose.yml", "  api:\r\n"), ""),
                                Edit(place("deploy/compose.yml", "redis://redis"), "redis://cache")), safe=True)),
    Finding("open-door", "warning", "Taken away by a comment", place("a b/ü.py", "first"), "first",
            suppression=Suppression(("open-door",), "the sidecar", place("a b/ü.py", "connlint", "sidecar"), 1)),
)


def report(*findings: Finding, **given) -> Report:
    """A report of ``findings`` (all of the above where none is given); ``given`` are other fields of `Report`."""
    fields = {
        "problems": (Problem("syntax", "line 3: unexpected `}`", "src/broken.ts"),),
        "set_aside": (("a.min.js", "minified"), ("v/x.js", "vendored"), ("v/y.js", "vendored")),
        "unknown_imports": 41, "files_checked": 312, "seconds": 0.412, "version": "1.2.3",
        "root": "/srv/pro ject",
    }
    chosen = tuple(sorted(findings or FINDINGS, key=Finding.key))
    return Report(findings=chosen, sources=SOURCES, rules=RULES, **{**fields, **given})
