"""When two tasks look like the same work: a table of what people really type, and the edges of each rule."""

from __future__ import annotations

import pytest

from gitqueen import errors
from gitqueen.model import tasks

SAME = [
    ("fixing login #42", "the login thing, #42"),
    ("#42", "working on issue 42"),
    ("issue #1312: crash on empty config", "Fix 1312 crash (GH-1312)"),
    ("PROJ-128 rate limits", "implement proj-128"),
    ("PR 77 review comments", "address review on #77"),
    ("bug 9 in the parser", "issue-9"),
    ("ticket 5521 flaky upload", "look into #5521"),
    ("fix the flaky upload test", "fixing flaky upload tests"),
    ("Add dark mode to the settings page", "adding dark mode to settings page"),
    ("migrate the user table to UUIDs", "migrating user tables to uuid"),
    ("rewrite the README", "Rewriting README"),
    ("upgrade to Django 5", "upgrading Django to 5"),
    ("refactor the payment service", "refactoring payment service"),
    ("write docs for the relay", "writing the relay docs"),
    ("Phase 10 shipped + building the relay strategy", "building relay strategy for phase 10"),
    ("Hunting the Falken mp3 trigger", "hunt Falken mp3 trigger"),
    ("remove dead code from the scheduler", "removing dead code in scheduler"),
    ("speed up CI", "Speeding up CI!"),
    ("bump node to 22", "Bump Node to 22"),
    ("translate the onboarding mails to German", "translating onboarding mail into German"),
    ("type annotations for the store", "store: type annotations"),
    ("deploy the staging environment", "deploying staging environment now"),
    ("cleanup unused imports", "clean-up of unused imports"),
    ("set up the linter", "setup linter"),
    ("investigate memory leak in worker", "memory leak in the workers, investigating"),
    ("cache invalidation on logout", "logout: cache invalidation"),
    ("tests for the billing module", "billing module tests"),
    ("fix N+1 query in orders list", "fixing n+1 queries in the orders list"),
    ("🐛 fix the date picker", "fix date picker"),
    ("Übersetzung der Hilfe", "übersetzung hilfe der"),
]

DIFFERENT = [
    ("fixing login #42", "fixing login #43"),
    ("issue 7", "issue 70"),
    ("PROJ-12 docs", "PROJ-120 tests"),
    ("release 1.4.2", "release 2.0.1"),
    ("fix the flaky upload test", "fix the flaky download test"),
    ("write tests for the parser", "write docs for the parser"),
    ("refactor the payment service", "refactor the mail service"),
    ("add dark mode", "add light theme"),
    ("migrate user table", "migrate order table"),
    ("bump node to 22", "bump python to 3.12"),
    ("fix bug", "fix typo"),
    ("working on the frontend", "working on the backend"),
    ("review", "deploy"),
    ("tests", "docs"),
    ("module 3 tests", "module 4 tests"),
    ("phase 10", "phase 11"),
    ("fix", "fixing the date picker in the settings dialog"),
    ("speed up CI", "speed up the parser"),
    ("remove dead code from the scheduler", "remove dead links from the manual"),
    ("upgrade Django", "upgrade Celery"),
    ("investigate memory leak in worker", "investigate timeout in worker"),
    ("reading the code", "reading the mail"),
    ("writing the manual", "measuring the relay"),
    ("german translation", "french translation"),
    ("api: paginate users", "api: paginate invoices"),
    ("clean up tmp files after tests", "clean up branches after merge"),
    ("login page redesign", "login rate limits"),
    ("docs for v2 endpoints", "deprecate v1 endpoints"),
    ("hotfix prod outage", "postmortem of the outage"),
    ("✨ new logo", "✨ new footer"),
]


@pytest.mark.parametrize(("task", "other"), SAME)
def test_what_is_the_same_work(task: str, other: str) -> None:
    assert tasks.alike(task, other)
    assert tasks.alike(other, task)


@pytest.mark.parametrize(("task", "other"), DIFFERENT)
def test_what_is_other_work(task: str, other: str) -> None:
    assert tasks.alike(task, other) is None
    assert tasks.alike(other, task) is None


@pytest.mark.parametrize(
    ("mine", "hers", "why"),
    [
        (("docs", "feature/x"), ("tests", "feature/x"), "both on feature/x"),
        (("docs", "main"), ("tests", "main"), None),
        (("docs", None), ("tests", None), None),
        (("docs", "feature/x"), ("tests", "feature/y"), None),
        (("docs", "fix/42-login"), ("look into #42", "main"), "both name #42"),
        (("the login, proj-7", "a"), ("PROJ-7", "b"), "both name PROJ-7"),
        (("#7 and #12", None), ("#12, #7", None), "both name #12"),
        (("speed up the parser", None), ("Speeding up parser", None), "they say the same"),
        (("speed up the old css parser", None), ("speed up the css parser", None), "they say nearly the same"),
        (("", None), ("", None), None),
        (("the", None), ("a", None), None),
    ],
)
def test_the_reason_is_said(mine: tuple[str, str | None], hers: tuple[str, str | None], why: str | None) -> None:
    assert tasks.alike(mine[0], hers[0], mine[1], hers[1]) == why


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  fix \t the\n\nlogin  ", "fix the login"),
        ("🐛 fix", "🐛 fix"),
        ("\u202eright to left", "\u202eright to left"),
        ("\x1b[31mred", "\x1b[31mred"),
        ("caf\udce9", "caf\N{REPLACEMENT CHARACTER}"),
        ("x" * 500, "x" * 500),
    ],
)
def test_a_task_is_one_line_of_what_was_typed(typed: str, kept: str) -> None:
    assert tasks.checked(typed) == kept


@pytest.mark.parametrize("typed", ["", "   ", "\n\t", "\u200f\u202e", "\x1b\x07", "\u00a0"])
def test_a_task_that_nobody_could_see_is_refused(typed: str) -> None:
    with pytest.raises(errors.Usage, match="the task is empty"):
        tasks.checked(typed)


def test_a_task_is_a_headline() -> None:
    with pytest.raises(errors.Usage, match="the task has 501 characters, at most 500 are kept"):
        tasks.checked("x" * 501)
