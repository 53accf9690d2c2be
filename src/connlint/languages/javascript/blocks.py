"""The scripts inside Vue and Svelte files."""

from __future__ import annotations

import re

from msgspec import Struct

from connlint.model.source import Span
from connlint.patterns import regex

_OPEN = regex(
    r"""<(script|template|svelte:head)((?:\s+[^\s=>"'/]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'>]+))?)*)\s*(/?)>|<!--""",
    re.IGNORECASE,
)
_ATTRIBUTE = regex(r"""([^\s=>"'/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")
_SCRIPT_END = regex(r"</script\s*>", re.IGNORECASE)
_LANGUAGES = {"js": False, "jsx": False, "javascript": False, "ts": True, "tsx": True, "typescript": True}
_TYPES = {"module", "text/javascript", "application/javascript", "text/typescript"}


class Script(Struct, frozen=True):
    """One block: ``at`` is what stands between its tags, in characters of the text."""

    at: Span
    typescript: bool


def scripts(text: str, *, vue: bool) -> list[Script]:
    """The component's own scripts in order; those in comments, Vue templates and ``<svelte:head>`` belong to the page.

    A block with ``src`` has no text of its own. Only JavaScript and TypeScript are scripts: JSON and others are not.
    """
    found = []
    place = 0
    while (match := _OPEN.search(text, place)) is not None:
        place = match.end()
        if match[0] == "<!--":
            end = text.find("-->", place)
            if end < 0:
                break
            place = end + 3
            continue
        tag, closed = match[1].lower(), match[3] == "/"
        if closed:
            continue
        if tag == "script":
            end_tag = _SCRIPT_END.search(text, place)
            end = end_tag.start() if end_tag else len(text)
            typescript = _script(_attributes(match[2]))
            if typescript is not None:
                found.append(Script((place, end), typescript))
            place = end_tag.end() if end_tag else len(text)
        elif tag == "svelte:head" or vue:
            place = _after(text, tag, place)
    return found


def _attributes(text: str) -> dict[str, str]:
    return {name.lower(): double or single or bare for name, double, single, bare in _ATTRIBUTE.findall(text)}


def _script(attributes: dict[str, str]) -> bool | None:
    """Whether the block is TypeScript; None where it is no script to read."""
    if "src" in attributes or attributes.get("type", "module").lower() not in _TYPES:
        return None
    language = attributes.get("lang", "js").lower()
    if attributes.get("type", "").lower() == "text/typescript":
        language = "ts"
    return _LANGUAGES.get(language)


def _after(text: str, tag: str, place: int) -> int:
    """The end of an element that may hold others of its kind; ``place`` is behind its opening tag."""
    depth = 1
    for match in re.compile(rf"<(/?){re.escape(tag)}\b([^>]*?)(/?)>", re.IGNORECASE).finditer(text, place):
        if match[1]:
            depth -= 1
        elif not match[3]:
            depth += 1
        if depth == 0:
            return match.end()
    return len(text)
