"""Which calls the client tables know, through every way to import a name, and what their options say."""

from __future__ import annotations

import pytest

from connlint.config import Config
from connlint.engine import Options, Session
from connlint.model import program as p
from connlint.project.clients import construction
from connlint.project.module import Module
from connlint.project.tree import MemoryTree
from projects import RULES


def built(files: str | dict[str, str], suffix: str = "ts") -> list:
    """The constructions of a file, or of the first of several, in order."""
    if isinstance(files, str):
        files = {f"main.{suffix}": files}
    session = Session(MemoryTree(files), RULES, Config(), Options(jobs=1))
    module = session.project.module(next(iter(files)))
    assert isinstance(module, Module)
    found = [construction(module, call, session.project, RULES) for call in module.nodes(p.Call)]
    return [one for one in found if one is not None]


@pytest.mark.parametrize(("code", "names"), [
    ("import { Pool } from 'pg'; new Pool()", ["pg.Pool"]),
    ("import pg from 'pg'; new pg.Pool()", ["pg.Pool"]),
    ("import * as pg from 'pg'; const { Pool } = pg; new Pool()", ["pg.Pool"]),
    ("import pg from 'pg'; const { Pool: P } = pg; new P()", ["pg.Pool"]),
    ("const { Pool } = require('pg'); new Pool()", ["pg.Pool"]),
    ("const { Pool } = await import('pg'); new Pool()", ["pg.Pool"]),
    ("import Redis from 'ioredis'; new Redis(); new Redis.Cluster([])", ["ioredis", "ioredis.Cluster"]),
    ("import { Redis as Cache } from 'ioredis'; new Cache()", ["ioredis.Redis"]),
    ("const db = require('knex')({ client: 'pg' })", ["knex"]),
    ("const pgp = require('pg-promise')(); const db = pgp(process.env.URL)", ["pg-promise()"]),
    ("require('mysql2/promise').createPool({})", ["mysql2/promise.createPool"]),
    ("import { PrismaClient } from './generated/prisma/client'; new PrismaClient()",
     ["./generated/prisma/client.PrismaClient"]),
    ("import { PrismaClient } from '@prisma/client'; class Db extends PrismaClient {} new Db()",
     ["@prisma/client.PrismaClient"]),
    ("import { S3Client } from '@aws-sdk/client-s3'; new S3Client({})", ["@aws-sdk/client-s3.S3Client"]),
    ("new WebSocket('wss://x.example')", ["WebSocket"]),
    # not theirs
    ("class Pool {} new Pool()", []),
    ("new Pool(); createPool(); redis.createClient(); knex({})", []),
    ("import { Pool } from './threads'; new Pool()", []),
    ("import { Pool } from 'pg'; function f(Pool) { return new Pool() }", []),
    ("import type { Pool } from 'pg'; let pool: Pool", []),
    ("import { Pool } from 'pg'; Pool()", []),
])
def test_names_javascript(code, names):
    assert [one.name for one in built(code)] == names


@pytest.mark.parametrize(("code", "names"), [
    ("from sqlalchemy import create_engine\ncreate_engine('x')", ["sqlalchemy.create_engine"]),
    ("import sqlalchemy as sa\nsa.create_engine('x')", ["sqlalchemy.create_engine"]),
    ("from sqlalchemy.ext.asyncio import create_async_engine as make\nmake('x')",
     ["sqlalchemy.ext.asyncio.create_async_engine"]),
    ("import redis.asyncio as redis\nredis.from_url('x')\nredis.Redis()",
     ["redis.asyncio.from_url", "redis.asyncio.Redis"]),
    ("from redis import asyncio as aioredis\naioredis.Redis.from_url('x')", ["redis.asyncio.Redis.from_url"]),
    ("import redis\nredis.asyncio.from_url('x')", ["redis.asyncio.from_url"]),
    ("import psycopg2.pool\npsycopg2.pool.ThreadedConnectionPool(1, 5)", ["psycopg2.pool.ThreadedConnectionPool"]),
    ("import boto3\nboto3.Session().client('s3')", ["boto3.Session().client"]),
    ("from google.cloud import storage\nstorage.Client()", ["google.cloud.storage.Client"]),
    ("from playhouse.pool import PooledMySQLDatabase\nPooledMySQLDatabase('x')",
     ["playhouse.pool.PooledMySQLDatabase"]),
    ("from sqlalchemy.orm import sessionmaker\nSession = sessionmaker()\nSession()", ["sqlalchemy.orm.sessionmaker()"]),
    ("from pymongo import *\nMongoClient()", ["pymongo.MongoClient"]),
    ("from pymongo import MongoClient\nclass Db(MongoClient):\n    pass\nDb()", ["pymongo.MongoClient"]),
    # not theirs
    ("create_engine('x')\nRedis()", []),
    ("from sqlalchemy.orm import sessionmaker\nsessionmaker()", []),
    ("def create_engine(x):\n    pass\ncreate_engine('x')", []),
])
def test_names_python(code, names):
    assert [one.name for one in built(code, "py")] == names


def test_names_that_a_file_of_the_project_passes_on():
    files = {"main.ts": "import { PrismaClient, Redis } from './db'; new PrismaClient(); new Redis()",
             "db.ts": "export * from '@prisma/client'; export { Redis } from 'ioredis'; "
                      "export { PrismaClient } from '@prisma/client'"}
    assert [one.name for one in built(files)] == ["./db.PrismaClient", "ioredis.Redis"]


@pytest.mark.parametrize(("code", "suffix", "dials"), [
    ("import Redis from 'ioredis'; new Redis()", "ts", True),
    ("import Redis from 'ioredis'; new Redis({ lazyConnect: true })", "ts", False),
    ("import Redis from 'ioredis'; const o = { lazyConnect: true }; new Redis('redis://x', o)", "ts", False),
    ("import { Pool } from 'pg'; new Pool()", "ts", False),
    ("from pymongo import MongoClient\nMongoClient(connect=False)", "py", False),
    ("from pymongo import MongoClient\nMongoClient()", "py", True),
    ("from psycopg2.pool import SimpleConnectionPool\nSimpleConnectionPool(0, 5)", "py", False),
    ("from psycopg2.pool import SimpleConnectionPool\nSimpleConnectionPool(minconn=1, maxconn=5)", "py", True),
    ("import smtplib\nsmtplib.SMTP()", "py", False),
    ("import smtplib\nsmtplib.SMTP('mail')", "py", True),
    ("from psycopg_pool import ConnectionPool\nConnectionPool('x', open=False)", "py", False),
])
def test_what_connects_when_it_is_built(code, suffix, dials):
    assert [one.dials for one in built(code, suffix)] == [dials]


@pytest.mark.parametrize(("code", "suffix", "places"), [
    ("import { Pool } from 'pg'; new Pool({ connectionString: url, max: 5 })", "ts", ["connectionString"]),
    ("import { Pool } from 'pg'; const o = { host: h }; new Pool({ ...o })", "ts", ["host"]),
    ("import { createClient } from 'redis'; createClient({ socket: { host: h } })", "ts", ["socket.host"]),
    ("import Redis from 'ioredis'; new Redis(6379, h)", "ts", ["0", "1"]),
    ("import { Kafka } from 'kafkajs'; new Kafka({ brokers: [a, b] })", "ts", ["brokers", "brokers"]),
    ("import { Queue } from 'bullmq'; new Queue('q', { connection: { host: h } })", "ts", ["connection.host"]),
    ("import redis\nredis.Redis(host=h)", "py", ["host"]),
    ("from confluent_kafka import Producer\nProducer({'bootstrap.servers': h})", "py", ["0.bootstrap.servers"]),
    ("from pymongo import MongoClient\nMongoClient(h)", "py", ["0"]),
])
def test_where_the_address_stands(code, suffix, places):
    assert [place for one in built(code, suffix) for place, _ in one.addresses()] == places


@pytest.mark.parametrize(("code", "wrapped"), [
    ("import { drizzle } from 'drizzle-orm/node-postgres'; import { Pool } from 'pg'; const p = new Pool(); drizzle(p)",
     [False, True]),
    ("import { drizzle } from 'drizzle-orm/node-postgres'; drizzle(process.env.URL)", [False]),
    ("import { Queue } from 'bullmq'; new Queue('q', { connection })", [True]),
    ("import { Queue } from 'bullmq'; new Queue('q', { connection: { host } })", [False]),
])
def test_clients_that_work_through_another(code, wrapped):
    assert [one.wrapped is not None for one in built(code)] == wrapped


def test_every_entry_says_what_it_must():
    forms = {"new", "call", "await", "class"}
    connects = {"construct", "blocking", "background", "first-use", "explicit", "never"}
    for entry in RULES.apis["client"]:
        assert entry["form"] in forms and entry["connects"] in connects, entry["names"]
        assert entry["missing"] in ("localhost", "throws", "fails", "nothing") and entry["source"], entry["names"]
        assert (entry["missing"] != "localhost") or entry.get("missing_address"), entry["names"]
        assert all("call" in one for one in entry["release"]), entry["names"]
        assert entry["connects"] != "explicit" or entry["explicit"], entry["names"]
