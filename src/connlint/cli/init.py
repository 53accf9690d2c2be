"""``connlint init``: a configuration to begin with, and what to paste elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from connlint.cli.given import current_folder, fail

if TYPE_CHECKING:
    from connlint.starter import Origin


@click.command(short_help="Write a configuration, and print a hook and a workflow.")
@click.option("--toml", is_flag=True, help="Write connlint.toml, although there is a pyproject.toml.")
@click.option("--baseline", "with_baseline", is_flag=True, help="Write a baseline too: only new findings count.")
@click.option("--force", is_flag=True, help="Replace the settings that are there.")
@click.option("--dry-run", is_flag=True, help="Print what would be written, and write nothing.")
@click.pass_context
def init(context: click.Context, toml: bool, with_baseline: bool, force: bool, dry_run: bool) -> None:
    """Write settings for the project in the current folder: [tool.connlint] of its pyproject.toml, or a connlint.toml.

    Everything else in the file stays as it is. Then print what to paste for pre-commit and for continuous integration.

    \b
    Examples:
      connlint init
      connlint init --baseline      # a project that has findings: begin with what is new
      connlint init --dry-run
    """
    from connlint import starter
    from connlint.baseline import NAME
    from connlint.discover import list_files
    from connlint.reporters import OutputError, replace_file

    here = current_folder()
    paths, _ = list_files(here)
    found = starter.inventory(paths)
    click.echo(f"Found {found}.")
    path = Path("connlint.toml" if toml or not Path("pyproject.toml").is_file() else "pyproject.toml")
    old = _text(path) if path.is_file() else ""
    header = "tool.connlint" if path.name == "pyproject.toml" else ""
    if not dry_run and not force:
        _ask(path, old, header, here)
    settings = starter.configuration(found, header, NAME if with_baseline else None)
    try:
        text = starter.in_pyproject(old, settings) if header else settings
    except starter.StarterError as error:
        fail(f"{path}: {error}; --toml writes connlint.toml instead")
    if dry_run:
        click.echo(f"{path} would hold:\n\n{_indented(settings)}")
    else:
        if with_baseline:  # first: settings that name a baseline which is not there would stop every run
            from connlint.cli.baseline import baseline

            context.invoke(baseline, paths=(), output=Path(NAME), prune=False, select=(), ignore=(), config_path=None,
                           exclude=(), notebooks=False, jobs=0, quiet=True)
            click.echo(f"Wrote the findings of today to {NAME}; commit it.")
        try:
            replace_file(path, text.encode())
        except OutputError as error:
            fail(str(error))
        click.echo(f"Wrote {f'[{header}] to ' if header else ''}{path}.")
    _what_to_paste(paths, with_baseline)


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        fail(f"{path}: not UTF-8")
    except OSError as error:
        fail(f"{path}: {(error.strerror or str(error)).lower()}")


def _ask(path: Path, old: str, header: str, here: Path) -> None:
    """Ask, or end where nobody can be asked, before settings are replaced or lose to these."""
    from connlint import config, starter

    why = ""
    if (starter.has_settings(old) if header else old.strip()):
        why = f"{path} has settings already"
    else:
        try:
            other = config.load(here).origin
        except config.ConfigError as error:
            fail(str(error))
        if other is not None:
            where = other.name if other.parent == here else str(other)
            why = f"{where} holds the settings for this folder, and would not be read any more"
    if not why:
        return
    if not sys.stdin.isatty():
        fail(f"{why}; --force goes on all the same, --dry-run shows what would be written")
    click.confirm(f"{why}. Go on?", abort=True)


def _what_to_paste(paths: frozenset[str], with_baseline: bool) -> None:
    from connlint import starter

    origin = _origin()
    click.echo("\nNext:\n  connlint check          what there is today")
    if not with_baseline:
        click.echo("  connlint baseline       write it down, to be told of new findings only")
    click.echo("  connlint explain RULE   what a rule reports, why, and how to mend it")
    click.echo(f"\nFor .pre-commit-config.yaml, under `repos:`:\n\n{_indented(starter.hook(origin))}")
    if ".gitlab-ci.yml" in paths:
        click.echo(f"For .gitlab-ci.yml:\n\n{_indented(starter.gitlab_job(origin))}")
    if ".gitlab-ci.yml" not in paths or any(path.startswith(".github/") for path in paths):
        click.echo(f"For .github/workflows/connlint.yml:\n\n{_indented(starter.github_workflow(origin))}", nl=False)


def _indented(text: str) -> str:
    return "".join(f"  {line}".rstrip() + "\n" for line in text.splitlines())


def _origin() -> Origin:
    """Where this connlint came from, as pip has written it down (PEP 610)."""
    import json
    from importlib import metadata

    from connlint import __version__
    from connlint.starter import Origin

    try:
        held = json.loads(metadata.distribution("connlint").read_text("direct_url.json") or "{}")
    except (metadata.PackageNotFoundError, ValueError):
        held = {}
    git = held.get("vcs_info", {})
    if git.get("vcs") != "git":
        return Origin(__version__, is_checkout="dir_info" in held)
    return Origin(__version__, held["url"], git.get("requested_revision") or git.get("commit_id", ""))
