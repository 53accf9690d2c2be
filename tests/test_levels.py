"""How grave a finding is: an error where the report shows that it fails, less where something may yet prevent it."""

from __future__ import annotations

import pytest

from projects import report

TYPES = {"src/types.ts": "export const known = 1;\n"}
COMPOSE = "services:\n  api:\n    build: .\n    environment: {LOG_LEVEL: info, MAIL_URL: 'https://mail.example.com'}\n"
BESIDE = "  beside:\n    image: a\n"
SERVED = {
    "docker-compose.yml": COMPOSE,
    "Dockerfile": 'FROM python:3.12\nWORKDIR /srv\nCOPY . .\nCMD ["uvicorn", "main:app", "--host", "0.0.0.0"]\n',
    "config.py": "from pydantic_settings import BaseSettings\n\n\nclass Settings(BaseSettings):\n"
                 "    mail_url: str = ''\n    model_url: str = 'http://localhost:11434'\n\n\nsettings = Settings()\n",
}
INNER = """from pydantic import AliasChoices, BaseModel, Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Model(BaseModel):
    server_url: str = Field(default="http://localhost:11434", validation_alias=AliasChoices("at", "server_url"))


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_nested_delimiter="__")

    model: Model = Field(default_factory=Model)


settings = Settings()
"""
SIGNALLED = """import asyncio
import functools
import signal


async def close(loop):
    await asyncio.sleep(1)
    loop.stop()


def end(loop):
    asyncio.create_task(close(loop))


async def serve(pipe):
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, functools.partial(end, loop))
    await asyncio.sleep(60)
"""
SETTINGS = ("import os\n\n\nclass Settings:\n    MAIL_URL = os.getenv('MAIL_URL', '')\n"
            "    MODEL_URL = os.getenv('MODEL_URL', 'http://localhost:11434')\n\n\nsettings = Settings()\n")
MADE = "\n\n    @property\n    def chat_url(self):\n        return self.model_url + '/chat'"
SENT = ("const web = process.env.WEB_URL || 'http://localhost:3000';\n"
        "export function login(request, response) {\n  response.redirect(`${web}/login`);\n}\n")
TOLD = ("const web = process.env.WEB_URL || 'http://localhost:3000';\n"
        "exports.answer = (request, response) => {{\n  {};\n}};\n")
SET = ("import httpx\nfrom pydantic import BaseModel\nfrom pydantic_settings import BaseSettings\n\n\n"
       "class Settings(BaseSettings):\n    app_url: str = 'http://localhost:8080'\n\n\n"
       "class RunResponse(BaseModel):\n    app_url: str\n\n\nsettings = Settings()\n\n\n"
       "def answer(mail_service):\n    {}\n")
PLATFORM = ("const base = process.env.APP_BASE || process.env.VERCEL_URL || 'http://localhost:3000';\n"
            "exports.rows = () => fetch(`${base}/rows`);\n")
RUN = {
    "package.json": '{"name": "shelf", "private": true, "type": "module", "devDependencies": {"jest": "29"}}',
    "tests/one.test.js": "test('one', () => expect(1).toBe(1));\n",
    "tests/made-rows.js": "import { rows } from '../src/gone.js';\nexport const made = () => rows();\n",
}
ROLES = {
    "package.json": '{"name": "shelf", "private": true, "type": "module", "scripts": {"start": "node src/index.js"}}',
    "src/index.js": "import { a } from './a.js';\nimport { b } from './b.js';\nimport { c } from './c.js';\n"
                    "a(b(c()));\n",
    "src/a.js": "export const a = (x) => x;\n", "src/b.js": "export const b = (x) => x;\n",
    "src/c.js": "export const c = () => 1;\n",
    "src/old.guard.js": "import { rows } from './gone.js';\nexport const guard = () => rows();\n",
}
LEFT = {("src/old-guard.js" if "guard" in path else path): text for path, text in ROLES.items()}
PAGED = {
    "package.json": '{"name": "shelf", "private": true, "dependencies": {"next": "14", "pg": "8"}}',
    "lib/rows.js": "import { Pool } from 'pg';\nconst pool = new Pool({ host: 'rows.example.org' });\n"
                   "export const rows = () => pool.query('select 1');\n",
}
PAGED_BY = "import { rows } from '../lib/rows.js';\nexport default async () => rows();\n"
NEXT = {
    "package.json": '{"name": "shelf", "scripts": {"start": "next start"}, "dependencies": {"next": "14"}}',
    "app/api/rows/route.js": "export async function GET() { return Response.json([]); }\n",
    "app/page.js": "const base = process.env.BASE || 'http://localhost:3000';\n"
                   "export default async function Page() {\n  return (await fetch(`${base}/api/rows`)).text();\n}\n",
}
SHOWN = "import { rows } from '../src/gone.js';\nimport { a } from '../src/a.js';\na(rows());\n"
COMPONENTS = {
    "package.json": '{"name": "shelf", "private": true, "dependencies": {"vue": "3", "vite": "5"}}',
    "src/main.js": "import { createApp } from 'vue'\nimport App from './App.vue'\ncreateApp(App).mount('#app')\n",
    "src/App.vue": "<script setup>\nimport Head from './views/Head.vue'\n"
                   "import Foot from './views/Foot.vue'\n</script>\n",
    "src/views/Head.vue": "<template><h1>Shelf</h1></template>\n",
    "src/views/Foot.vue": "<template><p>Shelf</p></template>\n",
    "src/views/OldRows.vue": "<script setup>\nconst rows = () => fetch('http://localhost:1337/rows')\n</script>\n",
}
APP = "import httpx\nfrom fastapi import FastAPI\nfrom config import settings\nfrom rows import row\napp = FastAPI()\n"
ROWS = {"rows.py": "def row():\n    return open('row.json').read()\n"}
CACHE = ("import os\nimport redis\n\n\ndef connected():\n"
         "    client = redis.Redis(host=os.environ.get('CACHE_HOST', 'localhost'))\n"
         "    client.ping()\n    return client\n\n\n")
LINK = "import os\n\n\ndef link():\n    return os.environ.get('LINK_URL', 'http://localhost:5173') + '/confirm'\n"
KEPT = """import os


def kept(name):
    kind = os.environ.get("STORE_KIND", "env")
    address = os.environ.get("VAULT_URL", "http://localhost:8200")
    if kind == "vault":
        return httpx.get(address + "/" + name)
    return os.environ[name]
"""
PAGE = {
    "docker-compose.yml": "services:\n  api:\n    image: shop-api\n    ports: ['8000:8000']\n  web:\n    build: ./web\n"
                          "    environment: {VITE_MODE: shop}\n",
    "web/Dockerfile": 'FROM node:20\nWORKDIR /srv\nCOPY . .\nCMD ["npm", "run", "dev"]\n',
    "web/package.json": '{"name": "web", "scripts": {"dev": "vite --host"}, "dependencies": {"vite": "^5.0.0"}}',
    "web/src/items.js": "const URL = import.meta.env.VITE_API_URL || 'http://localhost:8000';\n"
                        "export const items = () => fetch(`${URL}/items`);\n",
}
MADE_UP = ("import os\n\nfrom sqlalchemy import create_engine\n\nURL = os.getenv('DATABASE_URL')\n"
           "if not URL:\n    URL = GIVEN\nengine = create_engine(URL)\n\n\ndef rows():\n    return engine.connect()\n")
POOLED = {
    "agent/package.json": '{"name": "agent", "private": true, "dependencies": {"pg": "^8.0.0"}}',
    "agent/src/db.ts": "import { Pool } from 'pg';\n"
                       "export const pool = new Pool({ host: process.env.DB_HOST ?? '127.0.0.1' });\n",
}
STARTED = {
    "package.json": '{"name": "shop", "type": "module", "private": true, "scripts": {"start": "node app.js"}}',
    "app.js": "import { createServer } from 'node:http';\nimport { Pool } from 'pg';\n"
              "const pool = new Pool({ host: process.env.DB_HOST || 'localhost' });\n"
              "createServer((q, r) => pool.query('SELECT 1').then(() => r.end())).listen(3000);\n",
}
ENVALID = {
    "package.json": '{"name": "shop", "private": true, "dependencies": {"mongodb": "^6.0.0", "envalid": "^8.0.0"}}',
    "src/config.ts": "import { cleanEnv, url } from 'envalid';\n"
                     "export const env = cleanEnv(process.env, {\n"
                     "  MONGO_URI: url({ default: 'mongodb://db:27017' }),\n});\n",
    "src/db.ts": "import { MongoClient } from 'mongodb';\nimport { env } from './config';\n"
                 "const { MONGO_URI } = env;\nexport const client = new MongoClient(MONGO_URI);\n",
    "src/main.ts": "import { client } from './db';\nclient.db();\n",
}
KIT = {
    "package.json": '{"name": "shop", "private": true, "dependencies": {"@sveltejs/kit": "^2.0.0", "pg": "^8.0.0"}}',
    "src/routes/+page.server.js": "import { sql } from '$lib/db';\nexport const load = () => sql('SELECT 1');\n",
    "src/lib/rows.js": "export const rows = [];\n",
}
KIT_POOL = """import pg from 'pg';
const pool = new pg.Pool({ connectionString: 'postgres://db/shop' });
export const sql = (text) => pool.query(text);
"""
RENDERED = {
    "package.json": '{"name": "shop", "private": true, "dependencies": {"next": "^15.0.0", "react-dom": "^19.0.0"}}',
    "lib/base.ts": "export function base(): string {\n  const told = process.env.NEXT_PUBLIC_API_URL;\n"
                   "  if (typeof window !== 'undefined') {\n    return told ?? window.location.origin;\n  }\n"
                   "  return told ?? 'http://localhost:8000';\n}\n",
}
PROBE = """async function probe(address) {
  const socket = new WebSocket(address);
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true });
    socket.addEventListener('error', () => reject(new Error('no answer')), { once: true });
  });
  socket.close();
}
"""
STATE = ("import json\n\n\ndef stored(state):\n    file = open('state.json', 'w')\n    json.dump(state, file)\n"
         "    file.close()\n")
CAUGHT = ("import json\n\n\ndef stored(state):\n    try:\n        file = open('state.json', 'w')\n"
          "        json.dump(state, file)\n        file.close()\n    except OSError as error:\n        print(error)\n")
TASK = ("import asyncio\n\n\nasync def told():\n    await asyncio.to_thread(print)\n\n\nasync def tried():\n"
        "    asyncio.create_task(told())\n    await asyncio.sleep(9)\n")
CLOCK = "import asyncio\n\n\nasync def strike():\n    asyncio.create_task(asyncio.sleep(1))\n"
WORLD = {
    "Dockerfile": 'FROM python:3.12\nCOPY . .\nCMD ["python", "mud.py"]\n',
    "core/__init__.py": "", "core/sky.py": "BLUE = 1\n", "core/sea.py": "DEEP = 1\n", "core/wood.py": "GREEN = 1\n",
    "mud.py": "import asyncio\nfrom core.sky import BLUE\nfrom core.sea import DEEP\nfrom core.wood import GREEN\n",
}
ROWS_SHOWN = """const mysql = require('mysql2/promise');

async function rows() {
  try {
    const connection = await mysql.createConnection(process.env.DATABASE_URL);
    const [found] = await connection.query('SELECT 1');
    console.table(found);
    await connection.end();
  } catch (error) {
    console.error(error);
  }
}

rows();
"""
BEATING = ("const { io } = require('socket.io-client');\nconst socket = io(process.argv[2]);\n"
           "socket.on('connect', () => {\n  setInterval(() => socket.emit('beat'), 5000);\n});\n")
MAIN = "\n\nif __name__ == '__main__':\n"
COMMANDS = STATE.replace("def", "@app.command()\ndef")

LINKS = {"package.json": '{"name": "api"}', "lib/links.js": "module.exports = { shorten: (url) => url };\n"}

STAGED = {
    "docker-compose.yml": "services:\n  api:\n    build: .\n    environment: {NODE_ENV: live}\n",
    "Dockerfile": 'FROM node:22\nWORKDIR /srv\nCOPY . .\nCMD ["node", "main.js"]\n',
    "main.js": "require('dotenv').config({ path: `.env.${process.env.NODE_ENV}` });\n"
               "require('amqplib').connect(process.env.QUEUE_URL || 'amqp://localhost:5672');\n",
}
PUBLISHED = {
    **STAGED, "web/index.html": "<p>shop</p>\n", "api/main.js": "",
    "docker-compose.yml": "services:\n  api:\n    build: .\n    environment: {LOG_LEVEL: info}\n"
                          "  web:\n    image: nginx\n    ports: ['3000:80']\n",
}
TOWER = ("import asyncio\n\n\nclass TowerClock:\n    def __init__(self):\n        asyncio.create_task(asyncio.sleep(1))"
         "\n\n\ndef hour():\n    return 12\n")
CROWD = {**WORLD, **{f"core/star{number}.py": "HIGH = 1\n" for number in range(9)},
         "mud.py": WORLD["mud.py"] + "".join(f"from core.star{number} import HIGH\n" for number in range(9))}
WANTED = {
    "package.json": '{"name": "mono", "private": true, "workspaces": ["api", "web"]}',
    "api/package.json": '{"name": "@mono/api", "type": "module", "main": "index.ts", "dependencies": {"pg": "8"}}',
    "api/index.ts": "export { pool } from './pool';\nexport const ROUTES = { rows: '/rows' };\n",
    "api/pool.ts": "import { Pool } from 'pg';\nif (!process.env.DATABASE_URL) throw new Error('DATABASE_URL');\n"
                   "export const pool = new Pool({ connectionString: process.env.DATABASE_URL });\n",
    "web/package.json": '{"name": "@mono/web", "dependencies": {"next": "15", "@mono/api": "workspace:*"}}',
    "web/lib/client.ts": "import { ROUTES } from '@mono/api';\nexport const path: (typeof ROUTES)['rows'] = '/rows';\n"}
STORED = {
    "package.json": '{"name": "store", "scripts": {"start": "node src/index.js"}}',
    "src/index.js": "const { redis } = require('./redis');\nredis.ping();\n",
    "src/redis.js": "const Redis = require('ioredis');\n"
                    "exports.redis = new Redis(process.env.REDIS_URL || 'redis://localhost:6379');\n"}
LATER = {**STORED, "src/index.js": "const { redis } = require('./redis');\nrequire('dotenv').config();\nredis.ping();",
         "src/redis.js": "const Redis = require('ioredis');\nexports.redis = new Redis(process.env.REDIS_URL);\n",
         "Dockerfile": "FROM node:22\nWORKDIR /app\nCOPY . .\nCMD [\"node\", \"src/index.js\"]\n"}
DEMANDED = ("const missing = ['REDIS_URL'].filter((name) => !process.env[name]);\n"
            "if (missing.length > 0) process.exit(1);\n")
LINKED = "fetch((process.env._NAME_ || 'http://localhost:3000') + '/confirm');\n"

CASES = {
    "a name of a type that nothing uses": ("missing-symbol", "warning", {
        **TYPES, "src/a.ts": 'import { Unknown } from "./types";\nexport const a = 1;\n'}),
    "a module of which nothing is used": ("missing-module", "warning", {
        **TYPES, "src/a.ts": 'import { Card } from "./ui/Card";\nexport const a = 1;\n'}),
    "a module of which something is used": ("missing-module", "error", {
        **TYPES, "src/a.ts": 'import { Card } from "./card";\nexport const a = new Card();\n'}),
    "a name that is used": ("missing-symbol", "error", {
        **TYPES, "src/a.ts": 'import { Unknown } from "./types";\nexport const a = new Unknown();\n'}),
    "a name that the compiler is told to keep": ("missing-symbol", "error", {
        **TYPES, "tsconfig.json": '{"compilerOptions": {"verbatimModuleSyntax": true}}',
        "src/a.ts": 'import { Unknown } from "./types";\nexport const a = 1;\n'}),
    "a name that require gives, and that nothing uses": ("missing-symbol", "note", {
        **LINKS, "lib/routes.js": 'const { shorten, purge } = require("./links");\nmodule.exports = shorten;\n'}),
    "a name that require gives": ("missing-symbol", "warning", {
        **LINKS, "lib/routes.js": 'const { shorten, purge } = require("./links");\nmodule.exports = () => purge();\n'}),
    "a setting that comes after a row": ("env-localhost-fallback", "warning", {
        **SERVED, **ROWS, "main.py": APP + "client = httpx.Client(base_url=row().url or settings.model_url)\n"}),
    "a deployment that lies in an archive": ("env-localhost-fallback", "warning", {
        **{("archive/v1/" if path.startswith("docker-c") else "") + path: text.replace("build: .", "build: ../..")
           for path, text in SERVED.items()},
        **ROWS, "main.py": APP + "client = httpx.Client(base_url=settings.model_url)\n"}),
    "a variable in a file that goes into the image": ("env-localhost-fallback", "warning", {
        **STAGED, ".env.live": "QUEUE_URL=amqp://queue:5672\n"}),
    "a variable in a file of another stage": ("env-localhost-fallback", "error", {
        **STAGED, ".env.test": "QUEUE_URL=amqp://queue:5672\n"}),
    "a variable in a file that is kept out of the image": ("env-localhost-fallback", "error", {
        **STAGED, ".env.live": "QUEUE_URL=amqp://queue:5672\n", ".dockerignore": ".env*\n"}),
    "an address on the network of the host": ("env-localhost-fallback", "warning", {
        **STAGED, "docker-compose.yml": "services: {}\n", "package.json": '{"name": "api"}',
        "start.sh": "docker build -t api .\ndocker run --network host -e LOG_LEVEL=info api\n"}),
    "an address on a network of containers": ("env-localhost-fallback", "error", {
        **STAGED, "docker-compose.yml": "services: {}\n", "package.json": '{"name": "api"}',
        "start.sh": "docker build -t api .\ndocker run --network shop -e LOG_LEVEL=info api\n"}),
    "an address for browsers that is published beside": ("env-localhost-fallback", "warning", {
        **PUBLISHED, "main.js": LINKED.replace("_NAME_", "WEB_URL")}),
    "an address for browsers that is not published": ("env-localhost-fallback", "error", {
        **PUBLISHED, "main.js": LINKED.replace("_NAME_", "WEB_URL").replace("3000", "3001")}),
    "an address of another service that is published beside": ("env-localhost-fallback", "error", {
        **PUBLISHED, "main.js": LINKED.replace("_NAME_", "CATALOG_URL")}),
    "a setting that a file laid over the deployment gives": ("env-localhost-fallback", "note", {
        **SERVED, **ROWS, "main.py": APP + "client = httpx.Client(base_url=settings.model_url)\n",
        "docker-compose.live.yml": "services:\n  api:\n    environment: {MODEL_URL: 'https://m.example.com'}\n"}),
    "a setting that a file laid over the deployment need not give": ("env-localhost-fallback", "note", {
        **SERVED, **ROWS, "main.py": APP + "client = httpx.Client(base_url=settings.model_url)\n",
        "docker-compose.yml": COMPOSE.replace("LOG_LEVEL: info", "MODEL_URL: 'https://m.example.com'") + BESIDE,
        "docker-compose.live.yml": COMPOSE.replace("LOG_LEVEL: info", "MODE: live")
        + BESIDE.replace("image: a", "tty: yes")}),
    "a setting that a file of its own does not give": ("env-localhost-fallback", "warning", {
        **SERVED, **ROWS, "main.py": APP + "client = httpx.Client(base_url=settings.model_url)\n",
        "docker-compose.yml": COMPOSE.replace("LOG_LEVEL: info", "MODEL_URL: 'https://m.example.com'") + BESIDE,
        "docker-compose.live.yml": COMPOSE.replace("LOG_LEVEL: info", "MODE: live") + BESIDE}),
    "a setting that a build argument gives where the start is unknown": ("env-localhost-fallback", "note", {
        "docker-compose.yml": "services:\n  web:\n    build:\n      context: .\n"
                              "      args: {NEXT_PUBLIC_API_URL: 'https://api.example.org'}\n"
                              "  api:\n    build: {context: ., dockerfile: Api}\n",
        "Dockerfile": "FROM node:22 AS built\nCOPY web/ .\nARG NEXT_PUBLIC_API_URL\nRUN npm run build\n"
                      'FROM node:22\nCOPY --from=built /app/.next/standalone ./\nCMD ["node", "server.js"]\n',
        "Api": 'FROM python:3.12\nCOPY api/ .\nCMD ["python", "main.py"]\n',
        "api/main.py": "print('up')\n",
        "web/package.json": '{"name": "web", "dependencies": {"next": "^15"}}',
        "web/lib/api.js": "const base = process.env.NEXT_PUBLIC_API_URL || 'http://localhost:8000';\n"
                          "export const rows = () => fetch(`${base}/rows`);\n"}),
    "a setting that a file laid over the deployment does not give": ("env-localhost-fallback", "error", {
        **SERVED, **ROWS, "main.py": APP + "client = httpx.Client(base_url=settings.model_url)\n",
        "docker-compose.live.yml": "services:\n  api:\n    environment: {MAIL_URL: 'https://m.example.com'}\n"}),
    "a setting inside another that the deployment gives by its alias": ("env-localhost-fallback", "note", {
        **SERVED, **ROWS, "config.py": INNER, "docker-compose.yml": COMPOSE.replace("LOG_LEVEL: info", "MODEL__AT: 'http://m'"),
        "main.py": APP + "client = httpx.Client(base_url=settings.model.server_url)\n"}),
    "a setting inside another whose alias alone is given": ("env-localhost-fallback", "error", {
        **SERVED, **ROWS, "config.py": INNER, "docker-compose.yml": COMPOSE.replace("LOG_LEVEL: info", "AT: 'http://m'"),
        "main.py": APP + "client = httpx.Client(base_url=settings.model.server_url)\n"}),
    "a task that is made when a signal comes": ("task-not-cancelled", "note", {"bot.py": SIGNALLED}),
    "a task of a function that is run at other times, too": ("task-not-cancelled", "warning", {
        "bot.py": SIGNALLED.replace("    await asyncio.sleep(60)", "    await asyncio.sleep(60)\n    end(loop)")}),
    "a task that is made when an event comes": ("task-not-cancelled", "warning", {
        "bot.py": SIGNALLED.replace("signal.SIGTERM", "pipe").replace("add_signal_handler", "add_reader")}),
    "a setting that is taken": ("env-localhost-fallback", "error", {
        **SERVED, **ROWS, "main.py": APP + "client = httpx.Client(base_url=settings.model_url)\n"}),
    "a setting of what is off unless it is told": ("env-localhost-fallback", "warning", {
        **SERVED, **ROWS, "main.py": APP + "client = httpx.Client(base_url=settings.model_url)\n",
        "config.py": SERVED["config.py"].replace("    model_url", "    enabled: bool = False\n    model_url")}),
    "a setting of what is off, in a deployment that turns it on": ("env-localhost-fallback", "error", {
        **SERVED, **ROWS, "main.py": APP + "client = httpx.Client(base_url=settings.model_url)\n",
        "config.py": SERVED["config.py"].replace("    model_url", "    enabled: bool = False\n    model_url"),
        "docker-compose.yml": COMPOSE.replace("LOG_LEVEL: info", "ENABLED: 'true'")}),
    "a setting that the service does not ask for": ("env-localhost-fallback", "note", {
        **SERVED, **ROWS, "main.py": APP + "client = httpx.Client(base_url=settings.mail_url)\n"}),
    "a variable of a class that the service does not ask for": ("env-localhost-fallback", "note", {
        **SERVED, **ROWS, "config.py": SETTINGS,
        "main.py": APP + "client = httpx.Client(base_url=settings.MAIL_URL)\n"}),
    "a variable of a class that the service asks for": ("env-localhost-fallback", "error", {
        **SERVED, **ROWS, "config.py": SETTINGS,
        "main.py": APP + "client = httpx.Client(base_url=settings.MODEL_URL)\n"}),
    "a setting of which another is made that the service does not ask for": ("env-localhost-fallback", "note", {
        **SERVED, **ROWS, "config.py": SERVED["config.py"].replace("\n\n\nsettings", MADE + "\n\n\nsettings"),
        "main.py": APP + "client = httpx.Client(base_url=settings.mail_url)\n"}),
    "a setting of which another is made that the service asks for": ("env-localhost-fallback", "error", {
        **SERVED, **ROWS, "config.py": SERVED["config.py"].replace("\n\n\nsettings", MADE + "\n\n\nsettings"),
        "main.py": APP + "client = httpx.Client(base_url=settings.chat_url)\n"}),
    "behind the address that a platform gives": ("env-localhost-fallback", "note", {"base.js": PLATFORM}),
    "the same, in an image": ("env-localhost-fallback", "warning", {
        "base.js": PLATFORM, "Dockerfile": "FROM node:20\n"}),
    "a file of tests that no runner takes": ("missing-module", "note", RUN),
    "a file of tests that a runner may take": ("missing-module", "error", {
        **RUN, "package.json": RUN["package.json"].replace("jest", "ava")}),
    "a file of tests that a test imports": ("missing-module", "error", {
        **RUN, "tests/one.test.js": "import { made } from './made-rows.js';\ntest('made', () => made());\n"}),
    "a file whose second name says what it is": ("missing-module", "note", ROLES),
    "a file beside one that loads data": ("missing-module", "note", {
        **ROLES, "src/words.js": "export const words = import.meta.glob('../words/*.json', { eager: true });\n"}),
    "a file of a second name for which there is a pattern": ("missing-module", "error", {
        **ROLES, "src/load.js": "export const all = (names) => names.filter((n) => n.endsWith('.guard.js'));\n"}),
    "a pool that the pages of a framework evaluate": ("module-scope-pool", "warning", {
        **PAGED, "pages/rows.js": PAGED_BY}),
    "a pool that a server beside the pages loads": ("module-scope-pool", "note", {
        **PAGED, "server/index.js": PAGED_BY}),
    "an example beside the program": ("missing-module", "note", {
        **ROLES, "src/old.guard.js": "", "demo/index.js": SHOWN}),
    "an example that a script starts": ("missing-module", "error", {
        **ROLES, "src/old.guard.js": "", "demo/index.js": SHOWN,
        "package.json": ROLES["package.json"].replace("src/index.js", "demo/index.js")}),
    "an example that is a package": ("missing-module", "error", {
        **ROLES, "src/old.guard.js": "", "demo/index.js": SHOWN, "demo/package.json": '{"name": "demo"}'}),
    "an example beside an image of the tools it needs": ("missing-module", "note", {
        **ROLES, "src/old.guard.js": "", "demo/index.js": SHOWN,
        "demo/Dockerfile": 'FROM node:22\nCOPY --chown=node:node ./tools /tools\n'
                           'WORKDIR /app\nCMD ["node", "index.js"]\n'}),
    "an example that an image takes": ("missing-module", "error", {
        **ROLES, "src/old.guard.js": "", "demo/index.js": SHOWN,
        "demo/Dockerfile": 'FROM node:22\nWORKDIR /app\nCOPY . .\nCMD ["node", "index.js"]\n'}),
    "a file of which notes in plain text speak": ("missing-module", "note", {
        **LEFT, "notes.txt": "First we write the guard (old-guard.js), then the rest.\n"}),
    "a file that a list in plain text names": ("missing-module", "error", {
        **LEFT, "files.txt": "src/a.js\nsrc/old-guard.js\n"}),
    "a file that a command in plain text starts": ("missing-module", "error", {
        **LEFT, "startup.txt": "node src/old-guard.js --port 80\n"}),
    "the same, where the image is of something else": ("env-localhost-fallback", "note", {
        "pages/base.js": PLATFORM, "pages/package.json": '{"name": "pages"}',
        "Dockerfile": "FROM golang:1.22\nCOPY . .\n"}),
    "a server that asks its own routes": ("env-localhost-fallback", "note", NEXT),
    "a server that asks for routes it does not have": ("env-localhost-fallback", "warning", {
        **NEXT, "app/page.js": NEXT["app/page.js"].replace("/api/rows", "/api/stock")}),
    "a server that asks another port": ("env-localhost-fallback", "warning", {
        **NEXT, "package.json": NEXT["package.json"].replace("next start", "next start -p 4000")}),
    "a page that asks its reader's machine": ("env-localhost-fallback", "warning", {
        **NEXT, "app/page.js": "'use client';\n" + NEXT["app/page.js"]}),
    "an address that an answer tells": ("env-localhost-fallback", "note", {"books.js": TOLD.format(
        "response.status(201).json({ link: `${web}/books` })")}),
    "an address that a letter tells": ("env-localhost-fallback", "warning", {"books.js": TOLD.format(
        "sendResetEmail(request.body.to, `${web}/reset`)")}),
    "a component that no file imports": ("hardcoded-loopback", "note", COMPONENTS),
    "a component that the program imports": ("hardcoded-loopback", "warning", {
        **COMPONENTS, "src/App.vue": COMPONENTS["src/App.vue"].replace("Head", "OldRows")}),
    "a component that is registered without an import": ("hardcoded-loopback", "warning", {
        **COMPONENTS, "package.json": COMPONENTS["package.json"].replace('"vite"', '"unplugin-vue-components"')}),
    "an address to which people are sent": ("env-localhost-fallback", "note", {"login.ts": SENT}),
    "an address of which the name says that people are sent there": ("env-localhost-fallback", "note", {
        "login.ts": "export const back = process.env.LOGIN_REDIRECT_URI || 'http://localhost:3000/back';\n"}),
    "a setting that is told in answers": ("env-localhost-fallback", "note", {"club.py": SET.format(
        "return RunResponse(app_url=settings.app_url.rstrip('/') + '/runs')")}),
    "a setting that is told in answers, and asked": ("env-localhost-fallback", "warning", {"club.py": SET.format(
        "httpx.get(settings.app_url, timeout=5)\n    return RunResponse(app_url=settings.app_url)")}),
    "a setting that is the page of a mail": ("env-localhost-fallback", "warning", {"club.py": SET.format(
        "mail_service.send_invitation(dashboard_url=settings.app_url + '/start')")}),
    "an address to which people are sent, and which is asked": ("env-localhost-fallback", "warning", {
        "login.ts": SENT + "export const up = () => fetch(web + '/up');\n"}),
    "a setting beside another that is off": ("env-localhost-fallback", "error", {
        **SERVED, **ROWS, "main.py": APP + "client = httpx.Client(base_url=settings.model_url)\n",
        "config.py": SERVED["config.py"].replace("    model_url", "    mail_enabled: bool = False\n    model_url")}),
    "a connection at import that nothing catches": ("import-time-connection", "error", {
        "app/cache.py": CACHE + "CLIENT = connected()\n"}),
    "a connection at import whose failure is caught": ("import-time-connection", "warning", {
        "app/cache.py": CACHE + "try:\n    CLIENT = connected()\nexcept Exception:\n    CLIENT = None\n"}),
    "a connection at import that raises what it has caught": ("import-time-connection", "error", {
        "app/cache.py": CACHE + "try:\n    CLIENT = connected()\nexcept Exception:\n    print('away')\n    raise\n"}),
    "a connection at import that what is deployed tells where": ("import-time-connection", "note", {
        "docker-compose.yml": COMPOSE.replace("LOG_LEVEL", "CACHE_HOST: cache, LOG_LEVEL"),
        "Dockerfile": SERVED["Dockerfile"].replace("main:app", "app.main:app"),
        "app/cache.py": CACHE + "CLIENT = connected()\n"}),
    "a link where developers look at it": ("env-localhost-fallback", "warning", {
        "docker-compose.yml": COMPOSE.replace("build: .", "build: {context: ., target: development}"),
        "Dockerfile": SERVED["Dockerfile"].replace("3.12", "3.12 AS development"), "main.py": LINK}),
    "a link where it is served": ("env-localhost-fallback", "error", {
        "docker-compose.yml": COMPOSE, "Dockerfile": SERVED["Dockerfile"], "main.py": LINK}),
    "a store that is asked where a setting says so": ("env-localhost-fallback", "warning", {
        "docker-compose.yml": COMPOSE, "Dockerfile": SERVED["Dockerfile"],
        "main.py": APP.replace("settings", "row") + KEPT}),
    "a store that is asked unless a setting says otherwise": ("env-localhost-fallback", "error", {
        "docker-compose.yml": COMPOSE, "Dockerfile": SERVED["Dockerfile"],
        "main.py": APP.replace("settings", "row") + KEPT.replace('"env")', '"vault")')}),
    "what the machine around the container may answer": ("env-localhost-fallback", "warning", {
        "docker-compose.yml": COMPOSE, "Dockerfile": SERVED["Dockerfile"],
        "main.py": LINK.replace("localhost", "host.docker.internal")}),
    "a page that is read where the rest is published": ("env-localhost-fallback", "warning", PAGE),
    "a pool that keeps the address of its own machine": ("module-scope-pool", "error", POOLED),
    "a pool whose own machine has all in production": ("module-scope-pool", "note", {
        **POOLED, "agent/.env.production": "DB_HOST=127.0.0.1\n"}),
    "a pool of a module that nothing but its own change has evaluated again": ("module-scope-pool", "note", {
        **KIT, "src/lib/db.js": KIT_POOL}),
    "a pool of a module that others have evaluated again": ("module-scope-pool", "warning", {
        **KIT, "src/lib/db.js": "import { rows } from './rows';\n" + KIT_POOL + "rows.push(pool);\n"}),
    "a pool that its module ends": ("module-scope-pool", "note", {
        **KIT, "src/lib/db.js": "import { rows } from './rows';\n" + KIT_POOL
                                + "sql('SELECT 1').then((found) => rows.push(found)).finally(() => pool.end());\n"}),
    "a client whose variable a schema gives": ("module-scope-pool", "note", ENVALID),
    "a client whose variable a schema lets be missing": ("module-scope-pool", "warning", {
        **ENVALID, "src/config.ts": ENVALID["src/config.ts"].replace("'mongodb://db:27017'", "undefined")}),
    "a pool whose variable is made up for": ("module-scope-pool", "note", {
        "rows.py": MADE_UP.replace("GIVEN", "f'postgresql://{os.getenv(\"PGUSER\")}@db/app'")}),
    "a pool whose variable another may make up for": ("module-scope-pool", "warning", {
        "rows.py": MADE_UP.replace("GIVEN", "os.getenv('OTHER_URL')")}),
    "a pool of a program's own start": ("module-scope-pool", "note", STARTED),
    "a pool of a start that others import": ("module-scope-pool", "error", {
        **STARTED, "app.js": STARTED["app.js"].replace("const pool", "export const pool"),
        "report.js": "import { pool } from './app.js';\nexport const report = () => pool.query('SELECT 2');\n"}),
    "a link of code that the image does not hold": ("env-localhost-fallback", "warning", {
        "docker-compose.yml": COMPOSE, "Dockerfile": SERVED["Dockerfile"].replace("COPY . .", "COPY api/ main.py ./"),
        "main.py": "from fastapi import FastAPI\napp = FastAPI()\n", "web/link.py": LINK}),
    "a link of code that the image holds": ("env-localhost-fallback", "error", {
        "docker-compose.yml": COMPOSE, "Dockerfile": SERVED["Dockerfile"].replace("COPY . .", "COPY web/ main.py ./"),
        "main.py": "from fastapi import FastAPI\napp = FastAPI()\n", "web/link.py": LINK}),
    "a page as a file of components": ("env-localhost-fallback", "error", {
        **{path: text for path, text in PAGE.items() if path != "web/src/items.js"},
        "docker-compose.yml": PAGE["docker-compose.yml"].replace("8000:8000", "9000:8000"),
        "web/src/items.tsx": PAGE["web/src/items.js"]}),
    "a link for those outside where it is published": ("env-localhost-fallback", "warning", {
        "docker-compose.yml": COMPOSE.replace("build: .", "build: .\n    ports: ['5173:80']"),
        "Dockerfile": SERVED["Dockerfile"], "main.py": LINK.replace("LINK_URL", "PUBLIC_URL")}),
    "a link that a file for production gives": ("env-localhost-fallback", "warning", {
        "docker-compose.yml": COMPOSE, "Dockerfile": SERVED["Dockerfile"], "main.py": LINK,
        ".env.production": "LINK_URL=https://shop.example.com\n"}),
    "an address that a file for production gives, and nothing is seen to lack": ("env-localhost-fallback", "note", {
        "main.py": LINK, ".env.production": "LINK_URL=https://shop.example.com\n"}),
    "an address that a file for production lacks": ("env-localhost-fallback", "warning", {
        "main.py": LINK, ".env.production": "LINK=https://shop.example.com\n"}),
    "a page that is read where nothing is published": ("env-localhost-fallback", "error", {
        **PAGE, "docker-compose.yml": PAGE["docker-compose.yml"].replace("8000:8000", "9000:8000")}),
    "an address that only a server without pages would take": ("env-localhost-fallback", "note", {
        **RENDERED, "app/cart.tsx": "'use client';\nimport { base } from '../lib/base';\n"
                                    "export const cart = () => fetch(base() + '/cart');\n"}),
    "an address that a page on the server takes": ("env-localhost-fallback", "warning", {
        **RENDERED, "app/page.tsx": "import { base } from '../lib/base';\n"
                                    "export default async function Page() {\n  await fetch(base() + '/cart');\n}\n"}),
    "an address that a browser takes": ("env-localhost-fallback", "warning", {
        **RENDERED, "lib/base.ts": RENDERED["lib/base.ts"].replace("!==", "==="),
        "app/cart.tsx": "'use client';\nimport { base } from '../lib/base';\n"
                        "export const cart = () => fetch(base() + '/cart');\n"}),
    "a link of a platform that holds no address": ("env-localhost-fallback", "warning", {
        "fly.toml": "app = 'shop'\n[build]\n  dockerfile = 'Dockerfile'\n[env]\n  LOG_LEVEL = 'info'\n",
        "Dockerfile": SERVED["Dockerfile"], "main.py": LINK}),
    "a task of a module that nothing imports": ("task-not-cancelled", "note", {
        **WORLD, "core/clock.py": CLOCK}),
    "a task of a module that the program imports": ("task-not-cancelled", "warning", {
        **WORLD, "core/clock.py": CLOCK,
        "mud.py": WORLD["mud.py"] + "from core.clock import strike\nasyncio.run(strike())\n"}),
    "a pool of a package that a page wants for its types": ("module-scope-pool", "note", WANTED),
    "a pool of a package that a page runs": ("module-scope-pool", "warning", {
        **WANTED, "web/lib/server.ts": "import { pool } from '@mono/api';\nexport const rows = pool.query('');\n"}),
    "a task of a class that nobody makes": ("task-not-cancelled", "note", {
        **CROWD, "core/clock.py": TOWER, "mud.py": CROWD["mud.py"] + "from core.clock import hour\nprint(hour())\n"}),
    "a task of a class that the program makes": ("task-not-cancelled", "warning", {
        **CROWD, "core/clock.py": TOWER,
        "mud.py": CROWD["mud.py"] + "from core.clock import TowerClock\nTowerClock()\n"}),
    "a client with a default": ("module-scope-pool", "error", STORED),
    "a client of a program that stops without its variable": ("module-scope-pool", "warning", {
        **STORED, "src/index.js": STORED["src/index.js"] + DEMANDED}),
    "a client before the variables are loaded": ("module-scope-pool", "error", LATER),
    "a client before the variables are loaded that a container is given": ("module-scope-pool", "warning", {
        **LATER, "compose.yaml": "services:\n  store:\n    build: .\n    environment:\n      REDIS_URL: redis://cache\n"
                                 "  cache:\n    image: redis\n"}),
    "a script that shows what is in a table": ("connection-not-released", "note", {"scripts/checkRows.js": ROWS_SHOWN}),
    "a script that goes on": ("connection-not-released", "warning", {
        "scripts/checkRows.js": ROWS_SHOWN + "setInterval(rows, 1000);\n"}),
    "what others call to see what is in a table": ("connection-not-released", "warning", {
        "src/rows.js": ROWS_SHOWN.replace("\nrows();", "\nmodule.exports = { rows };")}),
    "a timer of what somebody looks at": ("interval-not-cleared", "note", {"scripts/simulate.js": BEATING}),
    "a timer of a worker that is named so": ("interval-not-cleared", "warning", {"lib/simulate-worker.js": BEATING}),
    "a program that ends where it fails": ("handle-not-closed", "note", {
        "sweep.mjs": PROBE + "probe(process.argv[2]).catch((error) => { console.error(error); process.exit(1); });\n"}),
    "a program that goes on": ("handle-not-closed", "warning", {
        "sweep.mjs": PROBE + "probe(process.argv[2]).catch((error) => { console.error(error); });\n"}),
    "a command of a console program": ("handle-not-closed", "note", {
        "store.py": "import typer\n\napp = typer.Typer()\n" + COMMANDS}),
    "a command that catches its errors": ("handle-not-closed", "note", {
        "store.py": "import typer\n\napp = typer.Typer()\n" + CAUGHT.replace("def", "@app.command()\ndef")}),
    "a command that goes on after its errors": ("handle-not-closed", "warning", {
        "store.py": "import json\nimport typer\n\napp = typer.Typer()\n\n\n@app.command()\ndef stored(states):\n"
                    "    for state in states:\n        try:\n            file = open('state.json', 'w')\n"
                    "            json.dump(state, file)\n            file.close()\n"
                    "        except Exception as error:\n            print(error)\n"}),
    "a command of a group of commands": ("handle-not-closed", "note", {
        "store.py": "import click\n\n\n@click.group()\ndef app():\n    pass\n\n\n" + COMMANDS}),
    "a command that a chat program answers": ("handle-not-closed", "warning", {
        "store.py": "from discord.ext import commands\n\napp = commands.Bot('!')\n" + COMMANDS}),
    "a function that another program calls at its start": ("handle-not-closed", "note", {
        "store.py": STATE, "main.py": "from store import stored\n\nif __name__ == '__main__':\n    stored({})\n"}),
    "a function that another module calls at some time": ("handle-not-closed", "warning", {
        "store.py": STATE, "main.py": "from store import stored\n\n\ndef answered(request):\n    stored(request)\n"}),
    "an error that a program catches before it ends": ("handle-not-closed", "note", {
        "store.py": CAUGHT + MAIN + "    stored({})\n"}),
    "an error that a program catches and goes on": ("handle-not-closed", "warning", {
        "store.py": CAUGHT + MAIN + "    for state in iter(input, ''):\n        stored(state)\n"}),
    "an error that a diagnosis catches and goes on": ("handle-not-closed", "note", {
        "store_diagnosis.py": CAUGHT + MAIN + "    for state in iter(input, ''):\n        stored(state)\n"}),
    "an error that an agent catches which is looked at": ("handle-not-closed", "note", {
        "agent_debug.py": CAUGHT + MAIN + "    stored({})\n"}),
    "an error that an agent catches": ("handle-not-closed", "warning", {
        "agent.py": CAUGHT + MAIN + "    stored({})\n"}),
    "an error that a program catches a few times": ("handle-not-closed", "note", {
        "store.py": CAUGHT + MAIN + "    for state in ({}, {}):\n        stored(state)\n"}),
    "an error that a program catches before it serves": ("handle-not-closed", "warning", {
        "store.py": "import uvicorn\n" + CAUGHT + MAIN + "    stored({})\n    uvicorn.run('shop:app')\n"}),
    "an error that a program catches which is named after what goes on": ("handle-not-closed", "warning", {
        "bot.py": CAUGHT + MAIN + "    stored({})\n"}),
    "an error that a program catches which something starts": ("handle-not-closed", "warning", {
        "store.py": CAUGHT + MAIN + "    stored({})\n", "Procfile": "worker: python store.py\n"}),
    "a task that a program throws away before it ends": ("task-not-cancelled", "note", {
        "try_it.py": TASK + MAIN + "    asyncio.run(tried())\n"}),
    "a task that a module throws away": ("task-not-cancelled", "warning", {
        "try_it.py": TASK, "main.py": "import try_it\n\n\nasync def asked():\n    await try_it.tried()\n"}),
    "what nothing calls in a program": ("handle-not-closed", "note", {
        "store.py": STATE + "\n\nif __name__ == '__main__':\n    print('stored')\n"}),
    "a module that is required whenever the file is loaded": ("missing-module", "error", {
        **LINKS, "src/a.js": "const { purge } = require('./purge');\npurge();\n"}),
    "a module that whoever calls a function requires": ("missing-module", "warning", {
        **LINKS, "src/a.js": "exports.purge = () => require('./purge').purge();\n"}),
    "a module that is required in a case": ("missing-module", "warning", {
        **LINKS,
        "src/a.js": "const own = process.argv[2] ? require('./own') : null;\nmodule.exports = own;\n"}),
}


@pytest.mark.parametrize("case", CASES)
def test_level(case: str) -> None:
    rule, level, files = CASES[case]
    assert [f.level for f in report(files).findings if f.rule == rule] == [level]


@pytest.mark.parametrize(("files", "said"), [
    ({"a.js": "export const known = 1;\n", "b.js": 'import { lost } from "./a.js";\nlost();\n'}, "built or loaded"),
    ({"a.py": "known = 1\n", "b.py": "from a import lost\nlost()\n"}, "as soon as the file is loaded"),
])
def test_when_a_name_is_missed_depends_on_what_loads_it(files: dict[str, str], said: str) -> None:
    assert [said in f.message for f in report(files).findings if f.rule == "missing-symbol"] == [True]


@pytest.mark.parametrize(("options", "dialled"), [
    ("host: process.env.MAIL_HOST", "127.0.0.1:587"),
    ("host: process.env.MAIL_HOST, port: 465", "127.0.0.1:465"),
    ("host: process.env.MAIL_HOST, secure: true", "127.0.0.1:465"),
    ("host: process.env.MAIL_HOST, port: process.env.MAIL_PORT", "127.0.0.1"),
])
def test_what_is_dialled_without_a_host_has_the_port_that_is_told(options: str, dialled: str) -> None:
    code = f"const mailer = require('nodemailer');\nexports.mail = () => mailer.createTransport({{ {options} }});\n"
    found = report({"mail.js": code}).findings
    assert [f.message.split("connects to ")[1].split()[0] for f in found] == [dialled]


@pytest.mark.parametrize(("kind", "dialled"), [
    ("'postgres'", "localhost:5432"), ("'mysql'", "localhost:3306"), ("process.env.KIND", "localhost"),
])
def test_what_is_dialled_without_a_host_depends_on_the_kind_of_database(kind: str, dialled: str) -> None:
    code = ("import { DataSource } from 'typeorm';\n"
            f"export default new DataSource({{ type: {kind}, host: process.env.HOST }});\n")
    found = [f for f in report({"rows.ts": code}).findings if f.rule == "implicit-localhost-default"]
    assert [f.message.split("connects to ")[1].split()[0] for f in found] == [dialled]


@pytest.mark.parametrize(("tried", "said"), [
    ("try:\n    pool = {}\nexcept Exception:\n    pool = None\n", "every importer opens a connection"),
    ("try:\n    pool = {}\nexcept Exception:\n    raise\n", "where the server is away"),
    ("pool = {}\n", "where the server is away"),
])
def test_an_import_fails_only_where_nothing_takes_the_failure(tried: str, said: str) -> None:
    code = "import psycopg2.pool\n\n" + tried.format("psycopg2.pool.SimpleConnectionPool(1, 2, 'postgresql://db/app')")
    found = [f for f in report({"rows.py": code}).findings if f.rule == "module-scope-pool"]
    assert [said in f.message for f in found] == [True]


@pytest.mark.parametrize(("address", "said"), [
    ("process.env.RATES_ADDRESS || made(process.env.RATES_URL || 'http://localhost:3001', 50051)",
     "Without RATES_ADDRESS and RATES_URL the address is localhost:"),
    ("process.env.RATES_ADDRESS || process.env.RATES_URL || 'http://localhost:3001'",
     "Without RATES_ADDRESS and RATES_URL the address is http://localhost:3001:"),
])
def test_what_is_made_of_a_default_has_no_port_of_its_own(address: str, said: str) -> None:
    code = ("function made(url, port) { return `${new URL(url).hostname}:${port}`; }\n"
            f"const address = {address};\nexports.rates = (rpc) => new rpc.Client(address);\n")
    assert [said in f.message for f in report({"rates.js": code}).findings] == [True]


WORKED = {
    "api/Dockerfile": 'FROM python:3.12\nWORKDIR /srv\nCOPY . .\nCMD ["python", "main.py"]\n',
    "api/main.py": "import os\n\nimport redis\n\n\ndef rows():\n"
                   "    return redis.Redis(host=_READ_).get('rows')\n\n\nwhile True:\n    rows()\n",
}
ONE = "services:\n  api:\n    build: ./api\n    environment: {CACHE_HOST: _GIVEN_}\n"
TWO = ONE + "  jobs:\n    build: ./api\n    command: python main.py\n    environment: {LOG_LEVEL: info}\n"
MAKES = TWO.replace("./api\n    env", "./api\n    command: make serve\n    env").replace("python main.py", "make jobs")


@pytest.mark.parametrize(("file", "text", "given", "level"), [
    ("compose.yaml", ONE, "cache", "note"),
    ("compose.yaml", MAKES, "cache", "note"),
    ("compose.yaml", MAKES, "localhost", "warning"),
    ("compose.yaml", ONE, "'${CACHE_HOST}'", "note"),
    ("compose.yaml", ONE, "localhost", "warning"),
    ("compose.yaml", ONE, "'${CACHE_HOST:-localhost}'", "warning"),
    ("compose.yaml", ONE, "''", "warning"),
    ("compose.yaml", TWO, "cache", "warning"),
    ("docker-compose.dev.yml", ONE, "cache", "warning"),
    ("compose.yaml", ONE.replace("build: ./api", "build: {context: ./api, target: dev}"), "cache", "warning"),
    ("compose.yaml", ONE.replace("{CACHE", "{APP_ENV: development, CACHE"), "cache", "warning"),
    ("compose.yaml", ONE.replace("{CACHE", "{APP_ENV: '${APP_ENV:-development}', CACHE"), "cache", "note"),
])
@pytest.mark.parametrize(("read", "rule"), [
    ("os.getenv('CACHE_HOST', 'localhost')", "env-localhost-fallback"),
    ("os.getenv('CACHE_HOST')", "implicit-localhost-default"),
])
def test_what_every_deployment_sets_is_a_note(read: str, rule: str, file: str, text: str, given: str,
                                              level: str) -> None:
    files = {path: code.replace("_READ_", read) for path, code in WORKED.items()}
    found = [f for f in report({**files, file: text.replace("_GIVEN_", given)}).findings if f.rule == rule]
    assert [f.level for f in found] == [level]
    assert any(step.place.path == file for step in found[0].steps) == (level == "note")


OVER = "services:\n  api:\n    environment: {CACHE_HOST: _GIVEN_}\n"
BASE = "services:\n  api:\n    build: ./api\n    environment: {LOG_LEVEL: info}\n"


@pytest.mark.parametrize(("over", "given", "more", "level"), [
    ("compose.deploy.yml", "cache", {}, "note"),
    ("compose.deploy.yml", "localhost", {}, "warning"),
    ("compose.override.yml", "cache", {}, "warning"),
    ("compose.deploy.yml", "cache", {"compose.far.yml": OVER.replace("CACHE_HOST", "MAIL_HOST")}, "warning"),
])
def test_what_is_laid_over_a_deployment_is_part_of_it(over: str, given: str, more: dict[str, str], level: str) -> None:
    files = {path: code.replace("_READ_", "os.getenv('CACHE_HOST', 'localhost')") for path, code in WORKED.items()}
    found = report({**files, "compose.yml": BASE, over: OVER.replace("_GIVEN_", given), **more}).findings
    assert [f.level for f in found if f.rule == "env-localhost-fallback"] == [level]


BUTTONS = """import asyncio

import httpx


def pressing(message, buttons):
    async def press():
        for button in buttons:
            await _DONE_

    return asyncio.create_task(press())


async def asked(bot, message):
    task = pressing(message, "ab")
    answer = await bot.answer(message)
    task.cancel()
    return answer
"""
OPENED = """from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI


@asynccontextmanager
async def _NAME_(app):
    rows = httpx.AsyncClient()
    mails = httpx.AsyncClient()
    app.state.rows, app.state.mails = rows, mails
    yield
    await rows.aclose()
    await mails.aclose()


app = FastAPI(_GIVEN_)
"""


@pytest.mark.parametrize(("rule", "code", "level"), [
    ("task-not-cancelled", BUTTONS.replace("_DONE_", "message.add(button)"), "note"),
    ("task-not-cancelled", BUTTONS.replace("_DONE_", "message.wait_for(button)"), "warning"),
    ("connection-not-released", OPENED.replace("_NAME_", "lifespan").replace("_GIVEN_", "lifespan=lifespan"), "note"),
    ("connection-not-released", OPENED.replace("_NAME_", "held").replace("_GIVEN_", "lifespan=held"), "note"),
    ("connection-not-released", OPENED.replace("_NAME_", "held").replace("_GIVEN_", ""), "warning"),
])
def test_what_is_over_soon_anyway(rule: str, code: str, level: str) -> None:
    assert [f.level for f in report({"rows.py": code}).findings if f.rule == rule][:1] == [level]


GOES_FIRST = """from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    cache_url: str = ""
    cache_host: str = "localhost"

    @property
    def address(self):
        if self.cache_url:
            return self.cache_url
        return f"redis://{self.cache_host}:6379"


settings = Settings()
"""
ASSEMBLED = """from pydantic import field_validator
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    CACHE_HOST: str = "localhost"
    CACHE_URL: str | None = None
    address: str = ""

    @field_validator("CACHE_URL", mode="before")
    @classmethod
    def assemble(cls, v, info):
        if v is not None:
            return v
        return f"redis://{info.data.get('CACHE_HOST')}:6379"


settings = Settings()
"""
BESIDE = ASSEMBLED.replace("        if v is not None:\n            return v\n", "")
TAKING = ("import redis\n\nfrom settings import settings\n\nwhile True:\n"
          "    redis.from_url(settings._URL_).get('rows')\n")


@pytest.mark.parametrize(("settings", "url"), [(GOES_FIRST, "address"), (ASSEMBLED, "CACHE_URL")])
@pytest.mark.parametrize(("given", "level"), [
    ("{CACHE_URL: 'redis://cache:6379'}", "note"),
    ("{LOG_LEVEL: info}", "error"),
    ("{CACHE_URL: 'redis://localhost:6379'}", "warning"),
])
def test_what_is_asked_for_first_may_be_told_instead(settings: str, url: str, given: str, level: str) -> None:
    assert _fallen_back(settings, url, given) == [level]


def test_a_validator_that_makes_a_field_whatever_was_given_needs_its_parts() -> None:
    assert _fallen_back(BESIDE, "CACHE_URL", "{CACHE_URL: 'redis://cache:6379'}") == ["error"]


@pytest.mark.parametrize("code", [
    "from celery import Celery\n\napp = Celery('rows', broker='redis://localhost:6379/0')\n",
    "CELERY_BROKER_URL = 'redis://localhost:6379/0'\nINSTALLED_APPS = ['rows']\n",
])
@pytest.mark.parametrize(("given", "level"), [
    ("{CELERY_BROKER_URL: 'redis://cache:6379/0'}", "note"), ("{CACHE_URL: 'redis://cache:6379/0'}", "warning"),
])
def test_a_library_may_ask_a_variable_before_it_takes_what_is_written(code: str, given: str, level: str) -> None:
    files = {**WORKED, "api/main.py": code + "\nwhile True:\n    print('rows')\n",
             "compose.yaml": ONE.replace("{CACHE_HOST: _GIVEN_}", given)}
    found = [f for f in report(files).findings if f.rule == "hardcoded-loopback"]
    assert [(f.level, "where CELERY_BROKER_URL is not set" in f.message) for f in found] == [(level, True)]


def _fallen_back(settings: str, url: str, given: str) -> list[str]:
    files = {**WORKED, "api/settings.py": settings, "api/main.py": TAKING.replace("_URL_", url),
             "compose.yaml": ONE.replace("{CACHE_HOST: _GIVEN_}", given)}
    return [f.level for f in report(files).findings if f.rule == "env-localhost-fallback"]


POOL = ("import os\n\nfrom sqlalchemy import create_engine\n\n"
        "engine = create_engine(os.getenv('CACHE_HOST', 'postgresql://localhost/rows'))\n")
KEPT_ONE = ("import os\n\nimport redis\n\n_store = None\n\n\ndef store():\n    global _store\n"
            "    if _store is None:\n        _store = redis.Redis(host=os.getenv('CACHE_HOST', 'localhost'))\n"
            "    return _store\n")


@pytest.mark.parametrize(("code", "rule", "use"), [
    (POOL, "module-scope-pool", "from rows import engine\n\nwhile True:\n    engine.connect()\n"),
    (KEPT_ONE, "sticky-singleton", "from rows import store\n\nwhile True:\n    store().get('x')\n"),
])
def test_a_client_is_not_stuck_with_what_no_deployment_takes(code: str, rule: str, use: str) -> None:
    files = {**WORKED, "api/rows.py": code, "api/main.py": use}
    found = [f.level for text in (ONE, TWO) for f in report(
        {**files, "compose.yaml": text.replace("_GIVEN_", "cache")}).findings if f.rule == rule]
    assert found == ["note", "warning"]


@pytest.mark.parametrize(("package", "level"), [("shop/rows/__init__.py", "note"), ("shop/rows/data.py", "error")])
def test_a_package_hides_the_module_of_its_name(package: str, level: str) -> None:
    files = {"main.py": "from shop import rows, items\nprint(rows, items)\n", "shop/__init__.py": "",
             "shop/items.py": "from shop import stock, prices\nprint(stock, prices)\n", "shop/stock.py": "",
             "shop/prices.py": "",
             "shop/rows.py": "from shop.lost import all_of_it\n", package: ""}
    assert [f.level for f in report(files).findings if f.rule == "missing-module"] == [level]


PUT_ASIDE = {
    "main.py": "from shop import rows, items, stock\nprint(rows, items, stock)\nSTATE = 'archive'\n",
    "shop/__init__.py": "", "shop/rows.py": "", "shop/items.py": "", "shop/stock.py": "",
    "scripts/archive/fill.py": "from shop.lost import all_of_it\nall_of_it()\n",
}


@pytest.mark.parametrize(("more", "level"), [
    ({}, "note"),
    ({"run.py": "import os, runpy\nrunpy.run_path(os.path.join('scripts', 'archive', 'fill.py'))\n"}, "error"),
    ({"run.sh": "#!/bin/sh\npython scripts/archive/fill.py\n"}, "error"),
])
def test_a_word_is_not_the_way_to_a_folder_of_that_name(more: dict[str, str], level: str) -> None:
    assert [f.level for f in report(PUT_ASIDE | more).findings if f.rule == "missing-module"] == [level]


LEFT_OVER = {
    "package.json": '{"name": "desk", "private": true, "type": "module", "scripts": {"start": "node server.js"}}',
    "server.js": "import { lamps } from './code/desk/lamps.js';\nimport { seats } from './code/desk/seats.js';\n"
                 "import { doors } from './code/desk/doors.js';\nlamps(seats, doors);\n",
    "code/desk/lamps.js": "export const lamps = (...all) => console.log(all);\n",
    "code/desk/seats.js": "export const seats = 4;\n",
    "code/desk/doors.js": "export const doors = 2;\n",
    "code/rooms/rooms.js": "import { gone } from './gone.js';\nexport const rooms = () => gone;\n",
}


@pytest.mark.parametrize(("doors", "level"), [
    # what nothing loads does not fail
    ("export const doors = 2;\n", "note"),
    ("// The import (doors and rooms) is made by hand in code/rooms.\nexport const doors = 2;\n", "note"),
    ("export const doors = { import(rows) { return rows; } };\nexport const at = 'code/rooms';\n", "note"),
    ("export const doors = (name) => import(`../rooms/${name}.js`);\n", "error"),
    ("const folder = '../rooms';\nexport const doors = (name) => import(`${folder}/${name}`);\n", "error"),
    ("const folder = '/srv/code';\nexport const doors = (name) => import(`${folder}/${name}`);\n", "error"),
    ("const folder = '/srv/code/desk';\nexport const doors = (name) => import(`${folder}/${name}`);\n", "note"),
])
def test_what_loads_files_that_it_does_not_name(doors: str, level: str) -> None:
    found = report({**LEFT_OVER, "code/desk/doors.js": doors}).findings
    assert [(f.rule, f.level) for f in found] == [("missing-module", level)]


@pytest.mark.parametrize(("head", "level"), [
    ("from .gone import gone\n", "note"), ("from app.api.gone import gone\n", "error")])
def test_a_word_names_no_module_of_a_package(head: str, level: str) -> None:
    """Who imports by relative paths is never loaded by its bare name."""
    found = report({
        "main.py": "from app.api import seats, doors, lamps\nprint(seats, doors, lamps, ['rooms'])\n",
        "app/api/seats.py": "from app.api import lamps\n", "app/api/doors.py": "", "app/api/lamps.py": "",
        "app/schemas/rooms.py": f"{head}\n\ndef at():\n    return gone\n",
        "desk.egg-info/SOURCES.txt": "main.py\napp/schemas/rooms.py\n",
    }).findings
    assert {f.level for f in found} == {level}


PLACED = "const at = process.env.NEXT_PUBLIC_DESK_URL || 'http://localhost:3001';\n"


@pytest.mark.parametrize(("path", "goes", "level"), [
    ("src/a.tsx", "export function A() {\n  const router = useRouter();\n"
                  "  return () => router.push(`${at}/seats`);\n}\n", "note"),
    ("src/a.tsx", "export function A() {\n  const { push } = useRouter();\n"
                  "  return () => push(at + '/seats');\n}\n", "note"),
    ("src/a.tsx", "export function a() {\n  window.location.href = `${at}/seats`;\n}\n", "note"),
    ("src/a.tsx", "export function a() {\n  window.open(at);\n}\n", "note"),
    ("src/a.tsx", "export const metadata = { metadataBase: new URL(at) };\n", "note"),
    ("src/a.tsx", "export function generateMetadata() {\n  const url = `${at}/a`;\n"
                  "  return { alternates: { canonical: url }, openGraph: { type: 'website', url } };\n}\n", "note"),
    ("src/app/robots.ts", "export default function robots() {\n"
                          "  return { sitemap: `${at}/sitemap.xml`, host: at };\n}\n", "note"),
    ("src/a.tsx", "export function a() {\n  seats.push(at);\n  return fetch(`${at}/seats`);\n}\n", "warning"),
    ("src/a.tsx", "export function a() {\n  seats.push(at);\n}\n", "warning"),
    ("src/a.tsx", "export function a() {\n  window.location.href = at;\n"
                  "  return fetch(`${at}/seats`);\n}\n", "warning"),
    ("src/app/sitemap.ts", "export default async function sitemap() {\n"
                           "  return (await fetch(`${at}/seats`)).json();\n}\n", "warning"),
])
def test_where_somebody_is_led(path: str, goes: str, level: str) -> None:
    found = report({"package.json": '{"name": "desk", "private": true, "dependencies": {"next": "^15.0.0"}}',
                    path: PLACED + goes}).findings
    assert [(f.rule, f.level) for f in found] == [("env-localhost-fallback", level)]


def test_a_function_that_was_not_read_counts_where_somebody_is_sent() -> None:
    found = report({"desk.py": "import os\n\nfrom fastapi import FastAPI\n"
                               ""
                               "from fastapi.responses import RedirectResponse\n\n"
                               "at = os.getenv('DESK_URL', 'http://localhost:3001')\napp = FastAPI()\n\n\n"
                               "@app.get('/')\ndef desk():\n    return RedirectResponse(f'{at}/seats')\n"}).findings
    assert [(f.rule, f.level) for f in found] == [("env-localhost-fallback", "note")]


@pytest.mark.parametrize(("asked", "levels"), [
    ("fetch(places.seats);\n", ["warning", "note"]),
    ("fetch(places.seats);\nfetch(places.lamps);\n", ["warning", "warning"]),
    # where nothing is asked for, or all of it is handed on, nobody knows
    ("", ["warning", "warning"]),
    ("for (const place of Object.values(places)) fetch(place);\n", ["warning", "warning"]),
])
def test_what_alone_of_several_nothing_is_seen_to_use(asked: str, levels: list[str]) -> None:
    found = report({"places.js": "export const places = {\n  seats: process.env.SEATS_URL || 'http://localhost:3001',\n"
                                 "  lamps: process.env.LAMPS_URL || 'http://localhost:3002',\n};\n",
                    "main.js": f"import {{ places }} from './places.js';\n{asked}"}).findings
    assert [f.level for f in found if f.rule == "env-localhost-fallback"] == levels


WORKER = {
    "package.json": '{"name": "shop", "private": true, "scripts": {"start": "node dist/index.js"}, "dependencies": '
                    '{"ioredis": "5", "next": "15"}}',
    "src/redis.ts": "import Redis from 'ioredis';\n"
                    "export const redis = new Redis(process.env.REDIS_URL || 'redis://localhost:6379');\n",
}
ASKING = """import { redis } from './redis';
async function main() {
  const missing = ['REDIS_URL'].filter((name) => !process.env[name]);
  if (missing.length > 0) {
    console.error(missing);
    process.exit(1);
  }
  await redis.ping();
}
"""


@pytest.mark.parametrize(("more", "found"), [
    ({"src/index.ts": ASKING + "main().catch(console.error);\n"}, False),
    ({"src/index.ts": ASKING + "export { main };\n"}, True),
    ({"src/index.ts": ASKING.replace("['REDIS_URL']", "['OTHER_URL']") + "main();\n"}, True),
    ({"src/index.ts": ASKING + "main();\n", "src/worker.ts": "import { redis } from './redis';\nredis.ping();\n"},
     True),
])
def test_a_program_that_ends_without_its_variable_keeps_no_fallback(more, found):
    said = [f.message for f in report({**WORKER, **more}).findings if f.level != "note"]
    assert any("localhost" in text for text in said) == found


STORE = {
    "package.json": '{"private": true, "workspaces": ["store", "site"]}',
    "store/package.json": '{"name": "@shop/store", "private": true, "main": "src/index.ts", '
                          '"dependencies": {"pg": "8"}}',
    "store/src/index.ts": "import { Pool } from 'pg';\nimport { SIZE } from './size';\n"
                          "const pool = new Pool({ host: 'db', max: SIZE });\n"
                          "export const routes = { rows: () => pool.query('SELECT 1') };\n",
    "store/src/size.ts": "export const SIZE = 4;\n",
    "site/package.json": '{"name": "site", "private": true, "dependencies": {"next": "15", "@shop/store": "*"}}',
}


@pytest.mark.parametrize(("page", "level"), [
    ("import { client } from 'rpc';\nimport { routes } from '@shop/store';\n"
     "export const api = client<typeof routes>('');\n", set()),
    ("import type { routes } from '@shop/store';\nexport type Api = typeof routes;\n", set()),
    ("import { routes } from '@shop/store';\nexport const api = () => routes.rows();\n", {"warning"}),
    ("import { client } from 'rpc';\nexport const api = () => client(import('@shop/store'));\n", {"warning"}),
])
def test_a_page_that_takes_types_alone_evaluates_nothing(page, level):
    found = report({**STORE, "site/lib/api.ts": page}).findings
    assert {f.level for f in found if "Next.js" in f.message} == level


@pytest.mark.parametrize("told, level", [
    ("STORE_URL=redis://store:6379\n", "warning"), ("STORE_URL=redis://localhost:6379\n", "error"), ("", "error")])
def test_the_example_of_a_file_that_is_kept_elsewhere_says_where_a_client_connects(told: str, level: str) -> None:
    found = report({
        "docker-compose.yml": "services:\n  bot:\n    build: .\n    env_file: [.env]\n",
        ".env.example": f"MODE=x\n{told}",
        "Dockerfile": 'FROM python:3.12\nWORKDIR /srv\nCOPY . .\nCMD ["python", "bot.py"]\n',
        "pool.py": "import os\nimport redis\n\n"
                   "pool = redis.ConnectionPool.from_url(os.getenv('STORE_URL', 'redis://localhost:6379'))\n",
        "bot.py": "import redis\nfrom pool import pool\n\n"
                  "while True:\n    redis.Redis(connection_pool=pool).blpop('x')\n",
    }).findings
    assert [f.level for f in found if f.rule == "module-scope-pool"] == [level]


@pytest.mark.parametrize(("text", "level"), [
    ("def test_row():\n    from shop.rows import row\n    assert row\n", "warning"),
    ("import pytest\n\npytestmark = pytest.mark.skip(reason='gone')\n\n\ndef test_row():\n"
     "    from shop.rows import row\n    assert row\n", "note"),
    ("import pytest\n\npytestmark = [pytest.mark.slow, pytest.mark.skip]\n\n\nclass TestRow:\n    def test_row(self):\n"
     "        from shop.rows import row\n        assert row\n", "note"),
    ("import pytest\n\npytestmark = pytest.mark.skipif(OLD, reason='old')\n\n\ndef test_row():\n"
     "    from shop.rows import row\n    assert row\n", "warning"),
    ("import unittest\n\n\n@unittest.skip('gone')\nclass TestRow(unittest.TestCase):\n    def test_row(self):\n"
     "        from shop.rows import row\n        assert row\n", "note"),
    ("import pytest\nfrom shop.rows import row\n\npytestmark = pytest.mark.skip\n\n\ndef test_row():\n"
     "    assert row\n", "error"),
])
def test_a_test_that_is_left_out_imports_nothing(text: str, level: str) -> None:
    found = report({"shop/__init__.py": "", "shop/rows.py": "rows = 1\n", "tests/test_row.py": text}).findings
    assert [f.level for f in found if f.rule == "missing-symbol"] == [level]


@pytest.mark.parametrize(("image", "given", "level"), [
    ("ghcr.io/acme/shop:latest", "store", "note"), ("ghcr.io/acme/basket:latest", "store", "warning"),
    ("shop", "store", "warning"), ("ghcr.io/acme/shop:latest", "'${STORE_HOST}'", "warning")])
def test_the_image_that_is_published_under_the_name_of_the_project_is_of_its_code(
        image: str, given: str, level: str) -> None:
    found = report({
        "pyproject.toml": '[project]\nname = "shop"\n', "shop/__init__.py": "",
        "docker-compose.yml": f"services:\n  web:\n    image: {image}\n    environment: {{STORE_HOST: {given}}}\n",
        "shop/rows.py": "import os\nimport redis\n\n\ndef rows():\n"
                        "    return redis.Redis(host=os.environ.get('STORE_HOST', 'localhost')).keys()\n",
    }).findings
    assert [f.level for f in found if f.rule == "env-localhost-fallback"] == [level]


def test_a_supervised_program_is_told_what_its_supervisor_is() -> None:
    found = report({
        "docker-compose.yml": "services:\n  api:\n    build: .\n    environment: {STORE_HOST: store}\n",
        "Dockerfile": 'FROM python:3.12\nWORKDIR /srv\nCOPY . .\nCMD ["uvicorn", "main:app", "--host", "0.0.0.0"]\n',
        "deploy/Dockerfile": 'FROM python:3.12\nWORKDIR /srv\nCOPY . .\nCMD ["supervisord", "-n"]\n',
        "deploy/supervisord.conf": "[program:api]\ncommand=uvicorn main:app --host 0.0.0.0\ndirectory=/srv\n",
        "main.py": "import os\nimport redis\nfrom fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get('/')\n"
                   "def row():\n    return redis.Redis(host=os.getenv('STORE_HOST', 'localhost')).get('row')\n",
    }).findings
    assert [f.level for f in found if f.rule == "env-localhost-fallback"] == ["note"]


@pytest.mark.parametrize(("script", "level"), [("start", "error"), ("lint", "warning"), ("format:all", "warning")])
def test_what_looks_at_the_code_is_started_by_nothing_that_is_deployed(script: str, level: str) -> None:
    files = {"package.json": f'{{"name": "shelf", "scripts": {{"{script}": "node scripts/gone.js"}}}}',
             "scripts/made.js": "console.log(1);\n"}
    assert [finding.level for finding in report(files).findings] == [level]


@pytest.mark.parametrize(("used", "level"), [
    ("exports.all = () => rows();\n", "note"),
    ("exports.all = () => rows(lost);\n", "warning"),
    ("exports.all = () => rows({ lost });\n", "warning"),
    ("exports.all = () => rows('/lost');\n", "note"),
])
def test_what_a_require_leaves_undefined_matters_where_it_is_used(used: str, level: str) -> None:
    files = {"a.js": "exports.rows = () => [];\n", "b.js": "const { rows, lost } = require('./a');\n" + used}
    assert [f.level for f in report(files).findings if f.rule == "missing-symbol"] == [level]


@pytest.mark.parametrize(("folder", "level"), [("archived_rows", "note"), ("rows", "error")])
def test_a_folder_says_of_what_it_holds_that_it_was_put_aside(folder: str, level: str) -> None:
    parts = {f"shop/{name}.py": f"{name} = 1\n" for name in "abc"}
    main = "".join(f"from shop.{name} import {name}\n" for name in "abc")
    files = {"shop/__init__.py": "", "main.py": main, f"{folder}/run.py": "from shop.a import gone\n\nprint(gone)\n"}
    assert [finding.level for finding in report({**parts, **files}).findings] == [level]


@pytest.mark.parametrize(("options", "said"), [
    ("url: process.env.ROWS_URL, host: process.env.ROWS_HOST", "ROWS_URL and ROWS_HOST may be unset"),
    ("url: process.env.ROWS_URL", "ROWS_URL may be unset"),
])
def test_an_address_may_be_told_in_several_ways(options: str, said: str) -> None:
    code = f"import {{ DataSource }} from 'typeorm';\nexport const rows = () => new DataSource({{ {options} }});\n"
    found = [f for f in report({"rows.ts": code}).findings if f.rule == "implicit-localhost-default"]
    assert [f.message.startswith(said) for f in found] == [True]


@pytest.mark.parametrize(("step", "level"), [
    ("run: VITE_ROWS_URL=https://rows.shelf.io npm run build", "note"),
    ("{run: npm run build, env: {VITE_ROWS_URL: '${{ vars.ROWS_URL }}'}}", "note"),
    ("run: VITE_ROWS_URL=http://localhost:7100 npm run build", "warning"),
    ("run: npm run build", "warning"),
])
def test_a_bundle_has_what_the_pipeline_sets_that_builds_it(step: str, level: str) -> None:
    files = {
        "package.json": '{"name": "shelf", "scripts": {"build": "vite build"}, "devDependencies": {"vite": "7"}}',
        "rows.js": "export const rows = () => fetch(import.meta.env.VITE_ROWS_URL || 'http://localhost:7100');\n",
        ".github/workflows/ship.yml": "on: push\njobs:\n  ship:\n    runs-on: ubuntu-latest\n    steps:\n"
                                      f"      - {step}\n      - run: rsync -a dist www@shelf.io:/srv\n",
    }
    assert [finding.level for finding in report(files).findings] == [level]


@pytest.mark.parametrize(("told", "asked", "level"), [
    ("ENV VITE_ROWS_URL=https://rows.shelf.io", "||", "note"),
    ("ARG VITE_ROWS_URL=https://rows.shelf.io", "??", "note"),
    ("ENV VITE_ROWS_URL=http://localhost:7100", "||", "warning"),
    ("ENV VITE_ROWS_URL=\"\"", "??", "note"),
    ("ENV VITE_ROWS_URL=\"\"", "||", "warning"),
    ("ARG VITE_ROWS_URL", "||", "warning"),
])
def test_a_bundle_has_what_its_image_says_before_it_is_built(told: str, asked: str, level: str) -> None:
    files = {
        "pages/package.json": '{"name": "shelf", "scripts": {"build": "vite build"}, "devDependencies": {"vite": "7"}}',
        "pages/rows.js": f"export const rows = () => fetch(import.meta.env.VITE_ROWS_URL {asked} "
                         "'http://localhost:7100');\n",
        "docker/pages.Dockerfile": "FROM node:22 AS pages\nCOPY pages/ ./\n_TOLD_\nRUN npm run build\n_LATER_\n"
                                   "FROM nginx\nCOPY --from=pages /dist /usr/share/nginx/html\n",
    }
    for first, second in ((told, ""), ("", told)):
        recipe = files["docker/pages.Dockerfile"].replace("_TOLD_", first).replace("_LATER_", second)
        found = [f.level for f in report({**files, "docker/pages.Dockerfile": recipe}).findings]
        assert found == [level if first else "warning"]


@pytest.mark.parametrize(("folder", "named", "value", "level"), [
    ("rows_gate", "rows_gate", "https://rows.shelf.io", "note"),
    ("RowsGate", "rows-gate", "https://rows.shelf.io", "note"),
    ("rows_gate", "rows_gate", "http://localhost:7100", "warning"),
    ("rows_gate", "pages", "https://rows.shelf.io", "warning"),
])
def test_an_image_may_be_published_by_the_name_of_the_folder(folder: str, named: str, value: str, level: str) -> None:
    files = {
        f"{folder}/settings.py": "from pydantic_settings import BaseSettings\n\n\nclass Settings(BaseSettings):\n"
                                 "    rows_url: str = 'http://localhost:7100'\n",
        f"{folder}/gate.py": "import requests\nfrom settings import Settings\n\n"
                             "print(requests.get(Settings().rows_url, timeout=5).json())\n",
        f"{folder}/docker-compose.yml": f"services:\n  gate:\n    image: ghcr.io/shelf/{named}:1\n"
                                        f"    environment:\n      - rows_url={value}\n",
    }
    assert [f.level for f in report(files).findings if f.rule == "env-localhost-fallback"] == [level]


@pytest.mark.parametrize(("value", "level"), [("http://host.docker.internal:7100", "note"), ("", "warning")])
def test_a_container_may_be_told_the_machine_around_it(value: str, level: str) -> None:
    files = {
        "docker-compose.yml": f"services:\n  gate:\n    build: .\n    environment: {{ROWS_URL: '{value}'}}\n",
        "Dockerfile": "FROM node:22\nWORKDIR /srv\nCOPY . .\nCMD [\"node\", \"gate.js\"]\n",
        "gate.js": "fetch(process.env.ROWS_URL || 'http://localhost:7100');\n",
    }
    assert [f.level for f in report(files).findings if f.rule == "env-localhost-fallback"] == [level]


@pytest.mark.parametrize(("path", "text", "told"), [
    ("package.json", '{"name": "shelf",\n "scripts": {}\n "type": "module"}\n', True),
    ("tsconfig.json", '{"compilerOptions": {"baseUrl": "."}\n', True),
    ("tsconfig.json", '{"compilerOptions": {"baseUrl": ".",}} // as it may be written\n', False),
    ("kit/package.json", '{"name": "{{ name }}",,}\n', False),
    ("tests/fixtures/package.json", "{\n", False),
    ("package.json", "\n", False),
])
def test_settings_of_a_package_that_cannot_be_read_are_told(path: str, text: str, told: bool) -> None:
    found = report({path: text, "rows.ts": "export const rows = 1;\n"})
    assert [problem.path for problem in found.problems] == [path] * told


@pytest.mark.parametrize(("handed", "level"), [("site_url", "note"), ("api_url", "warning")])
def test_an_address_that_the_program_of_a_page_calls_is_not_only_given_out(handed, level):
    texts = {
        "app.py": "import os\n\nfrom flask import Flask, render_template\n\napp = Flask(__name__)\n"
                  "SITE_URL = os.getenv('SITE_URL', 'http://localhost:8080')\n\n\n@app.get('/')\ndef index():\n"
                  f"    return render_template('index.html', {handed}=SITE_URL)\n\n\n"
                  "if __name__ == '__main__':\n    app.run(host='0.0.0.0')\n",
    }
    assert [f.level for f in report(texts).findings if f.rule == "env-localhost-fallback"] == [level]
