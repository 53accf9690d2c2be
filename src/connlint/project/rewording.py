"""Edits of what deployment files and start commands say: another word, one more option, another condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connlint.model.finding import Fix, Place
from connlint.model.source import Source, Undecodable
from connlint.project.tree import Tree


def reworded(tree: Tree, place: Place, old: str, new: str, title: str) -> Fix | None:
    """Write ``new`` for the word ``old``; None unless it stands at ``place`` just once, as it is."""
    from connlint.languages.deployment.rewrite import reworded as rewrite

    source = _source(tree, place.path)
    return rewrite(source, place.at, old, new, title) if source is not None and old != new else None


def with_option(tree: Tree, place: Place, behind: str, option: tuple[str, str], title: str) -> Fix | None:
    """Give the command at ``place`` one more flag with its value, behind the word ``behind``."""
    from connlint.languages.deployment.rewrite import with_option as rewrite

    source = _source(tree, place.path)
    return rewrite(source, place.at, behind, option, title) if source is not None else None


def through_shell(tree: Tree, place: Place, title: str) -> Fix | None:
    """Have a shell start the command that stands as a JSON array at ``place``."""
    from connlint.languages.deployment.rewrite import through_shell as rewrite

    source = _source(tree, place.path)
    return rewrite(source, place.at, title) if source is not None else None


def wait_until_healthy(tree: Tree, place: Place, name: str,
                       asked: tuple[str, Sequence[str]] | None = None) -> Fix | None:
    """Let a compose service wait until the service ``name``, which it depends on at ``place``, is healthy.

    Where nothing asks that one for its health, the file and the test of ``asked`` do.
    """
    from connlint.languages.deployment.rewrite import wait_until_healthy as rewrite
    from connlint.languages.deployment.rewrite import with_healthcheck

    source = _source(tree, place.path)
    fix = rewrite(source, place.at, f"Wait until {name} is healthy") if source is not None else None
    if fix is None or asked is None:
        return fix
    other = _source(tree, asked[0])
    check = with_healthcheck(other, name, asked[1]) if other is not None and asked[1] else None
    return Fix(f"Ask {name} for its health, and wait for it", (*fix.edits, check)) if check is not None else None


def asked_for_health(tree: Tree, path: str, name: str, test: Sequence[str]) -> Fix | None:
    """Have compose ask the service ``name`` of the file at ``path`` for its health by ``test``."""
    from connlint.languages.deployment.rewrite import with_healthcheck

    source = _source(tree, path) if test else None
    check = with_healthcheck(source, name, test) if source is not None else None
    return Fix(f"Ask {name} for its health", (check,)) if check is not None else None


def given_as_to_others(tree: Tree, place: Place, service: str, variables: Sequence[str]) -> Fix | None:
    """Give a compose service what other services of its file are given under the same names."""
    from connlint.languages.deployment.rewrite import with_variables_of_others

    source = _source(tree, place.path) if place.path.endswith((".yml", ".yaml")) else None
    title = f"Give {service} the same {' and '.join(variables)} as others have"
    return with_variables_of_others(source, service, variables, title) if source is not None else None


def given(tree: Tree, place: Place, service: str, variables: Mapping[str, str]) -> Fix | None:
    """Give a compose service variables with their values."""
    from connlint.languages.deployment.rewrite import with_variables

    source = _source(tree, place.path) if variables and place.path.endswith((".yml", ".yaml")) else None
    title = f"Give {service} {' and '.join(f'{name}={value}' for name, value in variables.items())}"
    return with_variables(source, service, variables, title) if source is not None else None


def _source(tree: Tree, path: str) -> Source | None:
    data = tree.read(path)
    try:
        return Source.decode(path, data) if data is not None else None
    except Undecodable:
        return None
