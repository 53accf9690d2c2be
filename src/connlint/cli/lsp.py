"""``connlint lsp``: the language server for editors."""

from __future__ import annotations

import click

from connlint.cli.given import fail


@click.command(short_help="Serve an editor.")
def lsp() -> None:
    """Serve an editor over standard input and output: findings while you type, with their evidence and edits.

    Editors start this themselves; `pip install 'connlint[lsp]'` brings what it needs.

    \b
    Example, the command to give to the editor:
      connlint lsp
    """
    try:
        from connlint.editor.server import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        fail(f"the language server needs {error.name}: pip install 'connlint[lsp]'")
    serve()
