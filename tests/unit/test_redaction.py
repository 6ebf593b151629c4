"""What frameworks and drivers log, and what is left of it."""

from __future__ import annotations

import asyncio
import gc
import io
import logging
import logging.config
import sys
import threading
import time
import warnings
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from sqlalchemy import create_engine, text

from data_contracts.errors import BalanceRiskError
from serving import redaction
from serving.redaction import redact

IDENTITY_NUMBER = "01818010008"  # synthetic: the month is raised by 80
PSEUDONYM = "p1-" + "abcdefghijklmnopqrstuvwxyz"
TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJkci1uYW1lIn0.c2lnbmF0dXJl"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the process writes to its log once redaction is installed; all is as before afterwards."""
    before = logging.getLogRecordFactory(), threading.excepthook, sys.unraisablehook, warnings.showwarning
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    root = logging.getLogger()
    root.addHandler(handler)
    redaction.install()
    yield written
    root.removeHandler(handler)
    logging.captureWarnings(False)
    logging.setLogRecordFactory(before[0])
    threading.excepthook, sys.unraisablehook, warnings.showwarning = before[1:]


@pytest.mark.parametrize(
    ("logged", "left"),
    [
        (f"person {IDENTITY_NUMBER} asked", "person [national identity number] asked"),
        (f"GET /v1/persons/{PSEUDONYM}/risk 200", "GET /v1/persons/[id]/risk 200"),
        ('"GET /v1/persons/anna/risk?on=2026-01-01&x=y HTTP/1.1" 200', '"GET /v1/persons/[id]/risk?[query] HTTP/1.1" 200'),
        ("GET /v1/companies/911222333/report", "GET /v1/companies/[id]/report"),
        (f"no score for {PSEUDONYM}.", "no score for [pseudonym]."),
        (f"Authorization: Bearer {TOKEN}", "Authorization: Bearer [token]"),
        (f"header b'{TOKEN}' refused", "header b'[token]' refused"),
        ("could not connect to postgresql+psycopg://risk:s3cr3t@db:5432/risk", "could not connect to postgresql+psycopg://risk:[password]@db:5432/risk"),
        ("connect(host=db, password='hunter two')", "connect(host=db, password=[hidden])"),
        ("-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----\nthen", "[key]\nthen"),
        ("[type=date, input_value='born 1980', input_type=str]", "[type=date, input_value=[hidden], input_type=str]"),
        ("duplicate key\nDETAIL: Key (person_id)=(anna) already exists.", "duplicate key\nDETAIL: [hidden]"),
        ("burnout: version 3 (0123456789ab) goes into service", "burnout: version 3 (0123456789ab) goes into service"),
        ("", ""),
    ],
)  # fmt: skip
def test_what_is_left_of_a_line(logged, left):
    assert redact(logged) == left


@given(st.text(alphabet=st.sampled_from("0123456789 -:/@?=[]'\"abeyJ.\n"), max_size=200))
def test_nothing_redacted_is_found_again(line):
    """Redacting twice changes nothing: no replacement uncovers or makes what another pattern hides."""
    once = redact(line)
    assert redact(once) == once


def test_a_long_line_is_redacted_in_time():
    """The patterns must not take time with the square of what a stranger makes long."""
    for piece in (
        "/",
        "/persons",
        "eyJ",
        "a://",
        "a.",
        "exception=",
        "[parameters: ",
        "input_value=",
        "Bearer ",
        "password=",
        "-----BEGIN A-----",
    ):
        line = piece * (50_000 // len(piece))
        before = time.perf_counter()
        redact(line)
        assert time.perf_counter() - before < 0.5, piece


def test_no_exception_shows_its_message(log):
    class Person(BaseModel):
        born: int

    for logger in ("uvicorn.error", "bentoml", "bentoml._internal.server", "sqlalchemy.pool", "anything"):
        try:
            Person.model_validate({"born": f"born to {IDENTITY_NUMBER}, {PSEUDONYM}, Anna"})
        except ValidationError as error:
            logging.getLogger(logger).exception("Exception on /v1/persons/Anna [POST]")
            logging.getLogger(logger).error("failed: %s", error)
            logging.getLogger(logger).error("failed", exc_info=error, stack_info=True)
    text_of_log = log.getvalue()
    assert "Exception on /v1/persons/[id] [POST]: ValidationError in" in text_of_log
    for hidden in (IDENTITY_NUMBER, PSEUDONYM, "Anna", "Traceback", "born"):
        assert hidden not in text_of_log


def test_our_own_errors_say_what_to_do(log):
    logging.getLogger("bentoml.balance_risk").error(
        "refused: %s", BalanceRiskError("The key is missing. Run: balance-risk audit key")
    )
    assert "The key is missing. Run: balance-risk audit key" in log.getvalue()


def test_a_driver_shows_no_parameters(log):
    engine = create_engine("sqlite://", echo=True)
    with engine.connect() as connection, pytest.raises(Exception, match="no such table") as caught:
        connection.execute(text("insert into nowhere values (:person)"), {"person": PSEUDONYM})
    logging.getLogger("sqlalchemy").error(str(caught.value))
    assert "no such table" in log.getvalue()
    assert PSEUDONYM not in log.getvalue()


def test_handlers_that_come_later_are_served_too(log):
    """BentoML replaces handlers when a worker starts, after this project was imported."""
    stream = io.StringIO()
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {"late": {"class": "logging.StreamHandler", "stream": stream}},
            "loggers": {"late": {"handlers": ["late"], "propagate": False}},
        }
    )
    logging.getLogger("late").warning("person %s, %d rows", IDENTITY_NUMBER, 3)
    assert stream.getvalue() == "person [national identity number], 3 rows\n"


def test_what_python_prints_by_itself_is_logged_without_values(log, capsys):
    def dies():
        raise ValueError(IDENTITY_NUMBER)

    class Unhappy:
        def __del__(self):
            raise ValueError(IDENTITY_NUMBER)

    async def forgotten():
        asyncio.get_running_loop().create_task(failing())
        await asyncio.sleep(0.01)
        gc.collect()

    async def failing():
        raise ValueError(IDENTITY_NUMBER, "Anna")

    thread = threading.Thread(target=dies)
    thread.start()
    thread.join()
    Unhappy()
    asyncio.run(forgotten())
    logging.getLogger("any").warning("%d %d", IDENTITY_NUMBER)
    text_of_log = log.getvalue() + capsys.readouterr().err
    assert text_of_log.count("ValueError") == 3
    assert "does not fit its arguments" in text_of_log
    assert IDENTITY_NUMBER not in text_of_log
    assert "Anna" not in text_of_log
