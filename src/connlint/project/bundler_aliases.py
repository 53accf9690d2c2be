"""Aliases that a bundler's configuration file gives to folders, as far as they are written out.

A configuration is a program, so this reads only the idioms: ``alias: { '@': path.resolve(__dirname, 'src') }``, the
list form with ``find`` and ``replacement``, ``fileURLToPath(new URL('./src', import.meta.url))`` and plain texts.
Configurations of test runners are left out: their aliases replace modules by stand-ins.
"""

from __future__ import annotations

import re

from connlint.patterns import regex
from connlint.project.javascript_files import Files, join

_CONFIG = regex(
    r"^(?:(?:vite(?!st)|webpack|rollup|rspack|rsbuild|rolldown|vue|svelte|nuxt|astro|next|babel|craco|quasar|metro|farm"
    r"|electron[.-]vite|esbuild|gatsby-node|remix|modern|umi|wxt|config-overrides|tsup|\.umirc)[\w.-]*"
    r"\.[cm]?[jt]s|\.babelrc(?:\.[cm]?js|\.json)?)$"
)
_KEY = r"""(?:["']([^"'\n]{1,60})["']|(?<![\w$])([\w$]{1,40}))"""
_PLACE = (
    r"""(?:(?:path\.|Path\.)?(?:resolve|join)\(\s*(?:(?:__dirname|import\.meta\.dirname|process\.cwd\(\)|root\w*|dir\w*)\s*,\s*)?"""
    r"""((?:["'][^"'\n]*["']\s*,?\s*)+)\)"""
    r"""|(?:fileURLToPath\(\s*)?new URL\(\s*["']([^"'\n]+)["']\s*,"""
    r"""|["'](\.{0,2}/[^"'\n]*|src(?:/[^"'\n]*)?|app(?:/[^"'\n]*)?)["'])"""
)
_ENTRY = regex(_KEY + r"\s*:\s*" + _PLACE)
_PAIR = regex(r"""\bfind\s*:\s*["']([^"'\n]+)["']\s*,\s*replacement\s*:\s*""" + _PLACE)
_EITHER = regex(_KEY + r"\s*:\s*(?:false\b|[^,{}\n?]{1,200}\?[^?.\n][^{}\n]*:)")
_EITHER_SET = regex(r"""\balias(?:\.(\w{1,40})|\[\s*["']([^"'\n]{1,60})["']\s*\])\s*=(?!=)\s*"""
                    r"""(?:false\b|[^;{}\n?]{1,200}\?[^?.\n])""")
"""An alias that stands for nothing, or for one thing or another."""


class BundlerAliases:
    """Aliases by the folder of the configuration files that give them."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self._known: dict[str, dict[str, list[str]]] = {}
        self._unsure: dict[str, set[str]] = {}

    def is_unsure(self, folder: str, specifier: str) -> bool:
        """Whether the configuration of the bundler in ``folder`` lets ``specifier`` stand for nothing, or for one thing
        or another."""
        self.at(folder)
        return any(specifier == alias or specifier.startswith(alias + "/") for alias in self._unsure[folder])

    def at(self, folder: str) -> dict[str, list[str]]:
        """Alias → folders or files, for the configuration files in ``folder``. An alias ends without ``/``."""
        if folder not in self._known:
            found: dict[str, list[str]] = {}
            unsure: set[str] = set()
            prefix = folder + "/" if folder else ""
            for name in sorted(self.files.listing.get(folder, ())):
                if _CONFIG.match(name):
                    data = self.files.tree.read(prefix + name)
                    if data is not None and b"lias" in data:
                        text = data.decode("utf-8", "replace")
                        self._read(folder, text, found)
                        unsure.update(_key(m[1] or m[2]) for pattern in (_EITHER, _EITHER_SET)
                                      for m in pattern.finditer(text, max(0, text.find("lias") - 1)))
            self._known[folder], self._unsure[folder] = found, unsure
        return self._known[folder]

    def _read(self, folder: str, text: str, found: dict[str, list[str]]) -> None:
        for pattern, keys in ((_ENTRY, 2), (_PAIR, 1)):
            for m in pattern.finditer(text, max(0, text.find("lias"))):
                key = (m[1] or m[2]) if keys == 2 else m[1]
                pieces, url, plain = m[keys + 1], m[keys + 2], m[keys + 3]
                if key in ("find", "replacement"):
                    continue
                place = "/".join(re.findall(r"""["']([^"'\n]*)["']""", pieces)) if pieces else url or plain
                # A leading slash means the root of the bundler's project.
                target = join(folder, place.lstrip("/") if not pieces else place)
                key = _key(key)
                if target is not None and key and target not in found.setdefault(key, []):
                    found[key].append(target.removesuffix("/*"))


def _key(text: str) -> str:
    """An alias as specifiers begin with it."""
    return text.removesuffix("/*").rstrip("/").removesuffix("$")
