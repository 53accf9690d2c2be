"""The map: what is deployed, said alike as text, JSON, Mermaid and as a page."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import warnings
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from connlint import cards
from connlint.charting import Unchartable, chart
from connlint.config import Config
from connlint.model.map import Connection, Map, Service
from connlint.reporters import Options
from connlint.reporters.map import FORMATS, render
from connlint.reporters.map import json as shape
from connlint.reporters.map.layout import Box, Link, arrange

SHOP = {
    "compose.yaml": """\
services:
  web:
    build: ./web
    ports: ["8080:3000"]
    environment:
      API_URL: http://api:9000
      VITE_API_URL: http://localhost:8000
  api:
    build: ./api
    command: uvicorn main:app --host 0.0.0.0 --port 8000
    ports: ["8000:8000"]
    depends_on: [db]
    environment:
      DATABASE_URL: postgresql://shop:${DB_PASSWORD}@db:5432/shop
      CACHE_HOST: cache
      CACHE_PORT: 6380
      QUEUE_URL: ${QUEUE_URL}
  db:
    image: postgres:16
""",
    "web/Dockerfile": 'FROM node:22\nWORKDIR /app\nCOPY . .\nEXPOSE 3000\nCMD ["node", "server.js"]\n',
    "web/server.js": "const app = require('express')();\napp.listen(process.env.PORT || 3000);\n",
    "api/Dockerfile": "FROM python:3.12\nWORKDIR /srv\nCOPY . .\n",
    "api/main.py": (
        "import os\nfrom fastapi import FastAPI\n\napp = FastAPI()\n"
        'DATABASE = os.environ["DATABASE_URL"]\nPRICES = os.environ.get("PRICES_URL", "http://localhost:9100")\n'
    ),
}

TEXT = """\
compose.yaml  compose, 3 services

  web  compose.yaml:2
    made from    built from web (web/Dockerfile)
    starts       node server.js  → web/server.js
    listens on   3000  published as 8080  [ports, EXPOSE, the code]
    connects to  ! api:9000  (http://api:9000)        API_URL  compose.yaml:6
                   api:8000  (http://localhost:8000)  VITE_API_URL, through the port that it publishes, from a browser  compose.yaml:7
    ! error port-mismatch  API_URL names port 9000 of `api`, which listens on 8000 (compose.yaml:6)

  api  compose.yaml:8
    made from    built from api (api/Dockerfile)
    starts       uvicorn main:app --host 0.0.0.0 --port 8000  → api/main.py
    listens on   8000  published as 8000  [ports, uvicorn]
    connects to    db:5432  (postgresql://db:5432)  DATABASE_URL  compose.yaml:14; read in api/main.py:5
                   cache:6380                       CACHE_HOST, no service here is called cache  compose.yaml:15
                   ?                                QUEUE_URL, from QUEUE_URL, set where it is deployed  compose.yaml:17
                 ! http://localhost:9100            PRICES_URL is not set, so the code takes its default, the container itself  api/main.py:6
    waits for    db (started)
"""  # noqa: E501


def drawn(files: dict[str, str], root: Path, path: str | None = None) -> Map:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return chart(Path(path) if path else None, root, cards.load(), Config(), jobs=1)


def service(map_: Map, name: str, deployment: int = 0) -> Service:
    found = map_.deployments[deployment].service(name)
    assert found is not None, [s.name for s in map_.services()]
    return found


def leads(one: Service) -> dict[str, str]:
    """Variable (or how it was learnt) → where it leads."""
    def end(c: Connection) -> str:
        return f"{c.service}:{c.port}" if c.target == "service" and c.port else c.service or c.target
    return {c.variable or c.source: end(c) for c in one.connects}


def test_text_says_what_was_understood(tmp_path: Path) -> None:
    text = render(drawn(SHOP, tmp_path), "text", Options())
    assert text.startswith(TEXT), text


def test_json_has_the_documented_shape(tmp_path: Path) -> None:
    data = json.loads(render(drawn(SHOP, tmp_path), "json", Options()))
    assert [*data] == ["version", "tool", "name", "deployments", "unread"]
    [deployment] = data["deployments"]
    web, api, db = deployment["services"]
    documented = set(re.findall(r"\w+", shape.__doc__ or ""))
    for row in (data, deployment, web, api["connects"][0], web["listens"][0], api["waits"][0], web["troubles"][0]):
        assert set(row) <= documented, set(row) - documented
    assert web["listens"][0] | {"learnt": ""} == {"port": 3000, "published": [8080], "somewhere": False,
                                                  "protocol": "tcp", "learnt": ""}
    assert (api["connects"][0]["service"], api["connects"][0]["port"]) == ("db", 5432)
    assert web["connects"][0]["troubled"] and not api["connects"][0]["troubled"]
    assert db["store"] and db["image"] == "postgres:16"


def test_no_format_tells_a_password(tmp_path: Path) -> None:
    files = {"compose.yaml": "services:\n  a:\n    image: x/a\n"
                             "    command: --requirepass hunter2 --url redis://u:hunter2@b:1\n"
                             "    environment:\n      DB_URL: postgres://me:hunter2@b:5432/x\n"
                             "  b:\n    image: postgres\n"}
    map_ = drawn(files, tmp_path)
    assert leads(service(map_, "a")) == {"DB_URL": "b:5432", "command": "b:1"}
    assert not [f for f in FORMATS if "hunter2" in render(map_, f, Options())]


@pytest.mark.parametrize(("variable", "value", "lead"), [
    ("DATABASE_URL", "postgres://b:5432/x", "b:5432"),
    ("BROKERS", "b:9092,b:9093", "b:9093"),
    ("DB_HOST", "b", "b"),
    ("DB_NAME", "b", None),
    ("DB_USER", "b", None),
    ("NODE_ENV", "production", None),
    ("SERVER_NAME", "production", None),
    ("BIND_ADDRESS", "0.0.0.0", None),
    ("ALLOWED_HOSTS", "localhost,b", None),
    ("API_URL", "http://localhost:7000", "itself"),
    ("CACHE_HOST", "127.0.0.1", "itself"),
    ("AGENT_URL", "http://host.docker.internal:7000", "machine"),
    ("API_URL", "https://api.example.com", "external"),
    ("REDIS_HOST", "elsewhere", "unknown"),
    ("DATABASE_URL", "${DATABASE_URL}", "unknown"),
    ("DATABASE_URL", "postgres://${U:-x}:${P}@b/x", "b"),
    ("LOG_LEVEL", "${LOG_LEVEL}", None),
])
def test_a_variable_leads(variable: str, value: str, lead: str | None, tmp_path: Path) -> None:
    text = f"services:\n  a:\n    image: x/a\n    environment:\n      {variable}: '{value}'\n  b:\n    image: x/b\n"
    assert leads(service(drawn({"compose.yaml": text}, tmp_path), "a")).get(variable) == lead


BASE = ("services:\n  a:\n    image: x/a\n    environment:\n      DB_HOST: localhost\n      X: '1'\n"
        "  db:\n    image: postgres\n")


def test_compose_files_side_by_side_are_deployments_of_their_own(tmp_path: Path) -> None:
    map_ = drawn({
        "compose.yaml": BASE,
        "compose.override.yaml": "services:\n  a:\n    environment:\n      DB_HOST: db\n    ports: ['80:8080']\n",
        "compose.dev.yaml": "services:\n  a:\n    command: run --dev\n  mail:\n    image: mail\n",
        "compose.alone.yaml": "services:\n  a:\n    image: x/other\n",
        "compose.lost.yaml": "services:\n  nowhere:\n    ports: ['1:1']\n",
    }, tmp_path)
    rows = {d.name: (d.files, sorted(s.name for s in d.services)) for d in map_.deployments}
    assert rows == {
        "compose.yaml": (("compose.yaml",), ["a", "db"]),
        "compose.alone.yaml": (("compose.alone.yaml",), ["a"]),
        "compose.dev.yaml": (("compose.yaml", "compose.dev.yaml"), ["a", "db", "mail"]),
        "compose.lost.yaml": (("compose.lost.yaml",), ["nowhere"]),
        "compose.override.yaml": (("compose.yaml", "compose.override.yaml"), ["a", "db"]),
    }
    assert next(iter(rows)) == "compose.yaml"
    by_name = {d.name: d for d in map_.deployments}
    plain, over, lost = (by_name[f"compose.{name}"] for name in ("yaml", "override.yaml", "lost.yaml"))
    assert leads(plain.services[0]) == {"DB_HOST": "itself"} and leads(over.services[0]) == {"DB_HOST": "db"}
    assert not plain.services[0].troubles + over.services[0].troubles, "the other value is the one that counts"
    assert lost.notes == ("nowhere must come from another file, which is not known",)


def test_extends_env_file_and_profiles_are_heeded(tmp_path: Path) -> None:
    map_ = drawn({
        "compose.yaml": "services:\n  a:\n    extends: {file: common.yaml, service: app}\n    env_file: a.env\n"
                        "    profiles: [full]\n  db:\n    image: postgres\n"
                        "  b:\n    image: x/b\n    env_file: missing.env\n",
        "common.yaml": "services:\n  app:\n    image: x/app\n    environment:\n      CACHE_URL: redis://db:1\n",
        "a.env": "DB_HOST=db\n",
    }, tmp_path)
    a = service(map_, "a")
    assert (a.image, a.profiles, leads(a)) == ("x/app", ("full",), {"CACHE_URL": "db:1", "DB_HOST": "db"})
    assert service(map_, "b").open == ("env_file missing.env is not in the project",)


def test_a_service_of_kubernetes_stands_before_the_pods_of_another_file(tmp_path: Path) -> None:
    def workload(name: str, env: str = "") -> str:
        return (f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec:\n  template:\n"
                f"    metadata: {{labels: {{app: {name}}}}}\n    spec:\n      containers:\n      - name: main\n"
                f"        image: x/{name}\n        ports: [{{containerPort: 8080}}]\n{env}")

    def front(name: str, app: str) -> str:
        return (f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec:\n  selector: {{app: {app}}}\n"
                "  ports: [{port: 80, targetPort: 8080}]\n")

    env = "        env:\n        - {name: API_URL, value: 'http://api.shop.svc.cluster.local'}\n"
    map_ = drawn({"k8s/web.yaml": workload("web", env), "k8s/api.yaml": workload("api"),
                  "k8s/svc.yaml": front("api", "api")}, tmp_path)
    [deployment] = map_.deployments
    assert deployment.name == "k8s/" and leads(service(map_, "web")) == {"API_URL": "api"}
    assert [(row.port, row.published) for row in service(map_, "api").listens] == [(8080, (80,))]
    assert [row.published for row in service(map_, "web").listens] == [()]


def test_the_code_of_several_services_accuses_none_of_them(tmp_path: Path) -> None:
    files = {"compose.yaml": "services:\n  a:\n    build: .\n    environment: {X: '1'}\n",
             "Dockerfile": "FROM python\nCOPY . /x\n", "main.py": 'import os\nURL = os.environ["PRICES_URL"]\n'}
    one = drawn(files, tmp_path / "one")
    assert leads(service(one, "a")) == {"PRICES_URL": "unknown"}
    two = drawn({**files, "compose.yaml": files["compose.yaml"] + "  b:\n    build: .\n"}, tmp_path / "two")
    assert leads(service(two, "a")) == {} and service(two, "a").shared == ("b",)


def test_a_default_that_another_variable_puts_out_of_use_is_not_drawn(tmp_path: Path) -> None:
    code = 'import os\nURL = os.environ.get("A_URL", os.environ.get("B_URL", "redis://localhost:6379"))\n'
    map_ = drawn({"compose.yaml": "services:\n  a:\n    build: .\n    environment: {A_URL: 'redis://db:1'}\n"
                                  "  db:\n    image: redis\n",
                  "Dockerfile": "FROM python\nCOPY . /x\n", "main.py": code}, tmp_path)
    assert leads(service(map_, "a")) == {"A_URL": "db:1"}


def test_names_and_ports_of_the_code(tmp_path: Path) -> None:
    code = "const redis = require('redis');\nconst r = redis.createClient({ url: 'redis://cache:6379' });\n"
    map_ = drawn({"compose.yaml": "services:\n  a:\n    build: .\n  cache:\n    build: ./cache\n", "main.js": code,
                  "Dockerfile": "FROM node\nWORKDIR /x\nCOPY *.js ./\nCMD node main.js\n",
                  "cache/Dockerfile": "FROM redis:7\n"}, tmp_path)
    a = service(map_, "a")
    assert leads(a) == {"code": "cache:6379"} and a.code == ("main.js",)
    assert [(row.port, row.learnt[0].how) for row in service(map_, "cache").listens] == [(6379, "the image")]


def test_a_path_chooses_deployments_and_a_wrong_one_is_said(tmp_path: Path) -> None:
    files = {"one/compose.yaml": BASE, "two/compose.yaml": BASE}
    assert [d.name for d in drawn(files, tmp_path, "one").deployments] == ["one/compose.yaml"]
    with pytest.raises(Unchartable, match="three"):
        drawn(files, tmp_path, "three")
    built = {"compose.yaml": "services:\n  a:\n    build: ./api\n", "api/Dockerfile": "FROM python\n", "web/a.py": ""}
    assert [d.name for d in drawn(built, tmp_path / "built", "api").deployments] == ["compose.yaml"]
    assert drawn(built, tmp_path / "built", "web").deployments == ()
    assert "No services" in render(drawn({"main.py": ""}, tmp_path / "empty"), "text", Options())


# -- pictures ---------------------------------------------------------------------------------------------------------


def test_mermaid_names_every_service_once(tmp_path: Path) -> None:
    text = render(drawn(SHOP, tmp_path), "mermaid", Options())
    assert text.startswith("flowchart LR\n")
    for name in ("web", "api", "db"):
        assert text.count(f"<b>{name}</b>") == 1
    ids = re.findall(r"^\s+(d\d+n\d+)[\[({]", text, re.M)
    links = re.findall(r'^\s+(\w+) (?:-->|-\.->|-\.-)(?:\|"[^"|]*"\|)? (\w+)$', text, re.M)
    assert len(ids) == len(set(ids)) and {end for link in links for end in link} <= set(ids)
    known = re.compile(r'\s+(?:d\d+n\d+[\[({]+"[^"]*"[\])}]+(?::::\w+)?$|d\d+n\d+ -|classDef|linkStyle)')
    assert [line for line in text.splitlines()[1:] if not known.match(line)] == []


def test_the_readme_shows_the_map_of_the_example() -> None:
    root = Path(__file__).parent.parent
    text = render(chart(None, root / "shop", cards.load(), Config(), jobs=1), "mermaid", Options())
    assert f"```mermaid\n{text}```" in (root / "README.md").read_text()


class _Page(HTMLParser):
    """Counts open elements, and keeps every address and anchor of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.open.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "xlink:href")]
        self.ids += [value or "" for name, value in attrs if name == "id"]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


HOSTILE = {**SHOP, "compose.yaml": SHOP["compose.yaml"].replace("api:9000", "api:9000/<script>&\\\"")}


@pytest.mark.parametrize("files", [SHOP, HOSTILE], ids=["plain", "hostile"])
def test_the_page_is_whole_and_asks_for_nothing(files: dict[str, str], tmp_path: Path) -> None:
    text = render(drawn(files, tmp_path), "html", Options())
    page = _Page()
    page.feed(text)
    page.close()
    assert page.open == []
    assert {"script", "link", "img", "iframe", "object"}.isdisjoint(page.tags)
    assert page.links and all(link.startswith("#") and link[1:] in page.ids for link in page.links)
    assert len(page.ids) == len(set(page.ids))
    assert not re.search(r"@import|url\((?!#)", text)
    for svg in re.findall(r"<svg.*?</svg>", text, re.S):
        ElementTree.fromstring(svg)


def _browser() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


@pytest.mark.slow
def test_a_browser_shows_the_page(tmp_path: Path) -> None:
    browser = _browser()
    if browser is None:
        warnings.warn("no Chromium here: nobody looked at the page of the map", stacklevel=1)
        pytest.skip("no Chromium on this machine")
    page, shot = tmp_path / "map.html", tmp_path / "map.png"
    page.write_text(render(drawn(SHOP, tmp_path / "shop"), "html", Options()))
    common = [browser, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    done = subprocess.run([*common, "--dump-dom", page.as_uri()], capture_output=True, text=True, timeout=120,
                          check=True)
    assert done.stdout.count("<details") == 3 and "</svg>" in done.stdout
    subprocess.run([*common, f"--screenshot={shot}", "--window-size=1200,900", page.as_uri()], capture_output=True,
                   timeout=120, check=True)
    assert shot.read_bytes().startswith(b"\x89PNG") and shot.stat().st_size > 20_000, "a blank page is smaller"


LAYOUTS = {
    "chain": ["ab", "bc", "cd", "ad"],
    "cycle": ["ab", "bc", "ca"],
    "two ways": ["ab", "ba"],
    "itself": ["aa", "ab"],
    "star": ["ab", "ac", "ad", "ae", "be"],
    "none": [],
}


@pytest.mark.parametrize("edges", LAYOUTS.values(), ids=LAYOUTS)
def test_no_box_lies_on_another(edges: list[str]) -> None:
    boxes = [Box(key, 100, 40) for key in "abcdef"]
    links = [Link(edge[0], edge[1], 60) for edge in edges]
    width, height = arrange(boxes, links)
    for one in boxes:
        assert one.x >= -0.01 and one.x + one.width <= width + 0.01
        assert one.y >= -0.01 and one.y + one.height <= height + 0.01
        for other in boxes:
            assert one is other or one.x + one.width <= other.x or other.x + other.width <= one.x or \
                one.y + one.height <= other.y or other.y + other.height <= one.y
    by_key = {box.key: box for box in boxes}
    for link in links:
        start, end = (by_key[k] for k in ((link.target, link.source) if link.turned else (link.source, link.target)))
        points = link.points[::-1] if link.turned else link.points
        assert points[0][0] == start.x + start.width and points[-1][0] == end.x
        assert start.y <= points[0][1] <= start.y + start.height and end.y <= points[-1][1] <= end.y + end.height
