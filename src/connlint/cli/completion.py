"""``connlint completion``: the script by which a shell completes commands, options and rules."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from connlint.cli.given import fail
from connlint.reporters import print_safely


@click.command(short_help="Print the completion script of a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what SHELL needs to complete commands, options and names of rules.

    \b
    Examples:
      connlint completion bash > ~/.local/share/bash-completion/completions/connlint
      connlint completion zsh > ~/.zfunc/_connlint      # a folder of your $fpath
      connlint completion fish > ~/.config/fish/completions/connlint.fish
    """
    from connlint.cli import cli

    kind = get_completion_class(shell)
    if kind is None:
        fail(f"nothing is known of the shell {shell}")
    # the source of the script is told without asking the shell for its version, which click does elsewhere
    made = kind(cli, {}, "connlint", "_CONNLINT_COMPLETE")
    print_safely(made.source_template % made.source_vars() + "\n")
