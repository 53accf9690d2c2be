"""The command line. Whatever goes wrong ends in one line that says what and where, and in the right exit status.

0: clean, or nothing at or above ``--fail-on``. 1: findings. 2: bad usage, bad configuration, or a fault of connlint.

A module a command, imported when the command is run: a hook pays for nothing but ``check``.
"""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from connlint import __version__
from connlint.cli.given import fail

COMMANDS = {
    "check": "connlint.cli.check:check",
    "baseline": "connlint.cli.baseline:baseline",
    "map": "connlint.cli.map:map_",
    "rules": "connlint.cli.rules:rules",
    "explain": "connlint.cli.rules:explain",
    "init": "connlint.cli.init:init",
    "completion": "connlint.cli.completion:completion",
    "facts": "connlint.cli.facts:facts",
    "lsp": "connlint.cli.lsp:lsp",
    "fleet": "connlint.cli.fleet:fleet",
    "cache": "connlint.cli.cache:cache",
}
"""Name of a command → the function that it is, in the order of the help."""


class _Commands(click.Group):
    """The commands by name, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        where, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(where), name)
        return command

    def resolve_command(self, ctx: click.Context,
                        args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, 1)
            if not near:
                raise
            raise click.UsageError(f"{error.message} Did you mean {near[0]!r}?", ctx) from None


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="connlint")
def cli() -> None:
    """Find connectivity faults: code that runs on a laptop and is refused in deployment.

    \b
    Begin with:
      connlint check                  what there is in this folder
      connlint explain RULE           why it matters, and how to mend it
      connlint init                   settings, a hook and a workflow for a project
      connlint COMMAND --help         more about a command
    """


def _run() -> None:
    """Run the command that was asked for. A process that has checked something ends where it stands: to take apart all
    that it holds, object by object, takes as long as a hook has. Nor does it look for circles before (what grows with
    a project is swept while the project is checked)."""
    status: Any = 0
    hasty = sys.argv[1:2] == ["check"]
    if hasty:
        gc.disable()
    try:
        cli(standalone_mode=False)
    except SystemExit as end:
        status = end.code
    sys.stdout.flush()
    sys.stderr.flush()
    if hasty and type(status) is int:
        os._exit(status)
    sys.exit(status)


def main() -> None:
    """Entry point of the console script."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started us: there is nobody to tell
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
    try:
        _run()
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # the reader of our output has gone; leave without Python's own complaint about it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        if os.environ.get("CONNLINT_TRACEBACK"):
            raise
        from connlint.reporters import OutputError

        if isinstance(error, OutputError):
            fail(str(error))
        fail(f"internal error: {type(error).__name__}: {error} (set CONNLINT_TRACEBACK=1 to see where)")
