"""The report as a page: whole, asking for nothing, and of use in a browser."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from msgspec.structs import replace

from browser import Browser
from connlint.model.finding import Finding, Place
from connlint.model.source import Source
from reports import FINDINGS, SOURCES, report
from test_reporters import said


class Page(HTMLParser):
    """Follows every element of a page; fails where one is not closed in its turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.open.append(tag)
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        assert not [name for name, _ in attrs if name.startswith("on") or name == "style"]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


EVIL = "<script>alert(1)</script>\"'&\x1b\u202e"
EVIL_SOURCE = Source.decode(EVIL, f"x = 1 # {EVIL}\n".encode())


@pytest.mark.parametrize("of", [
    report(), replace(report(), findings=()), report(*(replace(FINDINGS[2], ordinal=n) for n in range(40))),
    replace(report(Finding(EVIL, "error", EVIL, Place(EVIL, (0, 12)), EVIL)), sources={EVIL: EVIL_SOURCE}),
    replace(report(), sources={}),
], ids=["plain", "clean", "many", "hostile", "files that are gone"])
def test_the_page_is_whole_and_asks_for_nothing(of) -> None:
    text = said("html", of)
    page = Page(text)
    assert {"link", "img", "iframe", "object"}.isdisjoint(page.tags)
    assert len(page.ids) == len(set(page.ids))
    assert all(link.startswith("#") and link[1:] in page.ids for link in page.links)
    assert text.count("<script") == 1 and not re.search(r"@import|url\(|https?://(?!localhost)", text)
    assert said("html", of) == said("html", replace(of, seconds=9.0)), "the clock is not in it"


def rows(text: str) -> list[str]:
    """The lines of code on a page: kind, number, and the text with the marked part in brackets."""
    found = re.findall(r'<span class="row ?(\w*)" data-n="(\d+)">(.*?)</span>(?=<span|</pre>)', text)
    return [f"{kind or '=':<3} {number} " + re.sub(r"<mark>(.*?)</mark>", r"[\1]", line)
            for kind, number, line in found]


def test_lines_are_quoted_with_their_surroundings() -> None:
    assert rows(said("html", report(FINDINGS[3]))) == [
        "=   2   api:", "=   3     environment:", "hit 4       [REDIS_URL]: redis://redis",
        "=   1 services:", "old 2   api:", "old 3     environment:", "old 4       REDIS_URL: redis://redis",
        "new 2     environment:", "new 3       REDIS_URL: redis://cache",
    ]
    quoted = rows(said("html", report(FINDINGS[1])))
    assert quoted[2:5] == [
        "hit 8 \t連接 = &#x27;𝒳&#x27;; timer = [set_timer(]", "hit 9 \t\t[lambda: None,]", "hit 10 \t[)]"]
    assert quoted[-1].startswith("hit 1 …x=1;") and "[setInterval]" in quoted[-1] and quoted[-1].endswith("…")
    assert len(quoted[-1]) < 280


def test_it_says_what_was_not_checked() -> None:
    text = said("html", report(gone=2))
    for words in ("2 files set aside: vendored", "41 imports", "src/broken.ts", "2 entries of the baseline are gone"):
        assert words in text


# -- in a browser -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_what_a_reader_does(tmp_path: Path) -> None:
    """Filters, goes from finding to finding by keys, follows links, asks for dark colours; and nothing is fetched."""
    more = [replace(FINDINGS[2], ordinal=n + 1) for n in range(30)]
    page = tmp_path / "report.html"
    page.write_text(said("html", replace(report(*FINDINGS, *more), sources=SOURCES)), encoding="utf-8")
    shown = "[...document.querySelectorAll('.finding')].filter(f => !f.hidden && f.checkVisibility()).length"
    address, count = "location.hash", "document.querySelector('#shown').textContent"
    at = "document.activeElement.closest('.finding')?.dataset.rule"
    with Browser(tmp_path / "profile") as browser:
        browser.open(page.as_uri())
        assert browser.run(shown) == 34 and browser.run(count) == ""
        browser.press("/", "D", "B", ".", "p", "y")
        assert browser.run(shown) == 2 and browser.run(count) == "2 of 34" and browser.run(address) == "#q=DB.py"
        assert browser.run("document.querySelectorAll('.file:not([hidden])').length") == 1
        browser.press("Escape")
        assert browser.run(shown) == 34 and browser.run(address) == ""
        browser.press("j", "j")
        assert browser.run(at) == "open-door"
        browser.press("k")
        assert browser.run(at) == "shut-door"
        browser.press("Enter")
        assert browser.run("document.querySelectorAll('details[open]').length") == 1
        browser.press("o")
        assert browser.run("document.querySelectorAll('details[open]').length") == 34
        browser.run("document.querySelector('[value=warning]').click()")
        assert browser.run(shown) == 2 and browser.run(address) == "#without=warning"
        browser.open("about:blank")
        browser.open(page.as_uri() + "#rule=open-door&without=note")
        assert browser.run(shown) == 1, "an address brings its filter along"
        hidden = browser.run("document.querySelector('.finding[hidden]').id")
        browser.run(f"location.hash = '#{hidden}'")
        browser.run("1")
        assert browser.run(f"document.getElementById('{hidden}').checkVisibility()"), "and shows what it names"
        light = browser.shot(tmp_path / "light.png")
        browser.dark()
        dark = browser.shot(tmp_path / "dark.png")
        assert light != dark and min(len(light), len(dark)) > 20_000, "a blank page is smaller"
        assert browser.run("getComputedStyle(document.body).backgroundColor") == "rgb(1, 4, 9)"
        assert browser.complaints() == []
