"""Threads that poll for ever, and that nobody keeps: no one can tell them to stop."""

from __future__ import annotations

from collections.abc import Callable

from connlint.checks.endings import Endings
from connlint.checks.homes import Home
from connlint.checks.lifecycles import Api
from connlint.checks.repeats import Repeats, Why
from connlint.checks.tasks import polling
from connlint.checks.telling import Telling
from connlint.checks.threads import Threads
from connlint.model import program as p
from connlint.model.finding import Draft
from connlint.project.callees import Thing

_KEEPS_ALIVE = "the program cannot end while it runs"


class Endless:
    """Judges the threads of one module that are started and left. ``stopping`` tells which method of its class cannot
    stop what a call starts."""

    def __init__(self, threads: Threads, repeats: Repeats, endings: Endings, telling: Telling,
                 stopping: Callable[[p.Call], Why | None]) -> None:
        self.threads = threads
        self.module = threads.module
        self.repeats = repeats
        self.endings = endings
        self.telling = telling
        self.stopping = stopping

    def judge(self, call: p.Call, api: Api, home: Home, running: Thing) -> Draft | None:
        """What is to be said about a thread that runs ``running``, of which nobody gets hold."""
        function = self.module.function(call)
        if function is None or not polling(running) or self.endings.of(function) or self.endings.by_hand():
            return None
        why = self.repeats.of(call)
        if why.answer == "again" and not why.guessed:
            steps = self.telling.because(call, why)
            return self.telling.draft("discarded", call, api, "", why=f"{why.clause}: each goes on", steps=steps)
        if self.threads.is_daemon(call, home.uses):
            return None
        stopped = self.stopping(call)
        steps = self.telling.because(call, stopped) if stopped is not None else ()
        return self.telling.draft("discarded", call, api, "", why=_KEEPS_ALIVE, steps=steps,
                                  level=None if stopped is not None else "note")
