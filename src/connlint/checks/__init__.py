"""The checks by name, as cards name them; each is imported when a card first needs it.

A check turns facts into drafts. It knows no rule, no message, no level and no library: cards and API tables do.
"""

CHECKS: dict[str, str] = {
    "fallback": "connlint.checks.fallback:check",
    "hardcoded": "connlint.checks.hardcoded:check",
    "unset-address": "connlint.checks.unset_address:check",
    "leak": "connlint.checks.leak:check",
    "module-pool": "connlint.checks.pools:check",
    "pool-limit": "connlint.checks.pools:limits",
    "sticky": "connlint.checks.pools:sticky",
    "env-load": "connlint.checks.env_load:check",
}
"""Name → "module:function" of ``check(module, project, card, rules) -> Iterator[Draft]``, run on one file at a time."""

PROJECT_CHECKS: dict[str, str] = {
    "import-chain": "connlint.checks.import_chain:check",
    "drift": "connlint.checks.drift:check",
    "containers": "connlint.checks.containers:check",
    "entrypoint": "connlint.checks.entrypoints:check_found",
    "entrypoint-interface": "connlint.checks.interfaces:check_interface",
    "bind-loopback": "connlint.checks.binding:check_loopback",
    "local-services": "connlint.checks.local_services:check",
    "unexpanded": "connlint.checks.binding:check_unexpanded",
    "compose-env": "connlint.checks.compose_env:check",
    "build-time": "connlint.checks.build_time:check",
}
"""Name → "module:function" of ``check(project, card, rules) -> Iterator[Draft]``, run once on the whole project."""

CODE_WORDS: dict[str, tuple[str, ...]] = {
    "import-chain": ("(",),
    "bind-loopback": ("@serving_call.names", "localhost", "127.", "::1"),
    "containers": ("localhost", "127.0.0.1", "[::1]", "http://"),
    "local-services": ("localhost", "127.0.0.1", "[::1]"),
    "entrypoint": ("@server.calls_in_code", "js:apps"),
    "entrypoint-interface": ("@server.calls_in_code",),
}
"""What a source file holds if a check of the whole project may report something in it: where single files are asked
about, the others need not be run. A check that is not named here looks for the ``words`` in the options of its cards,
and where there are none reports in deployment files alone.

``js:`` in front of a word says that it matters in that language only; ``@role.field`` stands for the qualified names in
a field of an API table: a file holds one if it holds the package and the last part of the name.
"""
