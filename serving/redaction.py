"""Keeps persons, tokens and passwords out of everything that is logged, whoever logs it.

Our own modules log no values to begin with. This is the second net, under frameworks and drivers that do: tracebacks whose
last line quotes the request, addresses with a person in them, ``input_value='...'``, statements with their parameters. It
makes every record of the process harmless when it is made, not where it is handled: handlers come and go (BentoML replaces
them when a worker starts), and a filter on a logger does not see what its children hand up.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import traceback
from types import TracebackType
from typing import Any

from data_contracts.errors import BalanceRiskError
from data_contracts.national_identity_number import mask

LOGGER = logging.getLogger("bentoml.balance_risk")

LONGEST_LINE = 4_000
"""What strangers make long must not keep the patterns busy."""

_HIDDEN: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"eyJ[\w-]{8,}(?:\.[\w-]*)*"), "[token]"),
    (re.compile(r"(?i)\b(bearer|dpop|basic)\s+[\w.~+/=-]{8,}"), r"\1 [token]"),
    (re.compile(r"(?s)-----BEGIN [A-Z ]+-----.*?(?:-----END [A-Z ]+-----|\Z)"), "[key]"),
    (re.compile(r"(?i)(\b[a-z][a-z0-9+.-]{0,30}://[^/\s:@]*):[^@\s]*@"), r"\1:[password]@"),
    (
        re.compile(r"(?i)(password|secret|token|api[_-]?key)(['\"]?\s*[=:]\s*)(?:'[^']*'|\"[^\"]*\"|[^\s,;&]+)"),
        r"\1\2[hidden]",
    ),
    (re.compile(r"(?i)(/(?:persons?|patient|companies|company)/)[^/\s?#\"']+"), r"\1[id]"),
    (re.compile(r"(?<=[\w/\]~%-])\?[^\s\"'#]+"), "?[query]"),
    (re.compile(r"(?s)\[(parameters|SQL): .*?\](?=\s*(?:$|\n|\())"), r"[\1 hidden]"),
    (re.compile(r"(?m)^(DETAIL|CONTEXT|HINT|STATEMENT): .*$"), r"\1: [hidden]"),
    (re.compile(r"(?s)input_value=.*?(?=, input_type=|\]|$)"), "input_value=[hidden]"),
    (re.compile(r"(?s)\bexception=([\w.]+)\(.*"), r"exception=\1>"),
    # Keyed pseudonyms: data_contracts/pseudonyms.py.
    (re.compile(r"(?<![^\W_])[a-z][a-z0-9]{0,7}-[a-z2-7]{26}(?![^\W_])"), "[pseudonym]"),
)


def install() -> None:
    """Redact every record that this process logs from now on, and what would be printed of dying threads."""
    if logging.getLogRecordFactory() is not _record:
        logging.setLogRecordFactory(_record)
    # BentoML's own configuration would silence whatever logger exists already; warnings must not print lines of code.
    logging.captureWarnings(True)
    threading.excepthook = _thread_died
    sys.unraisablehook = _unraisable


def redact(text: str) -> str:
    """Return a text without identity numbers, pseudonyms, persons and queries in addresses, tokens, passwords, parameters."""
    if len(text) > LONGEST_LINE:
        text = f"{text[:LONGEST_LINE]} [and more]"
    for pattern, instead in _HIDDEN:
        text = pattern.sub(instead, text)
    return mask(text)


def place(error: BaseException, frames: TracebackType | None = None) -> str:
    """Return what failed and where, without the message, which may quote what a person has sent."""
    steps = traceback.extract_tb(frames or error.__traceback__)
    where = f" in {steps[-1].name}, line {steps[-1].lineno}" if steps else ""
    return f"{type(error).__name__}{where}"


def _record(*given: Any, **named: Any) -> logging.LogRecord:
    record = logging.LogRecord(*given, **named)
    record.args = _harmless(record.args)
    try:
        text = record.getMessage()
    except Exception:  # a message that does not fit its arguments must neither raise nor be printed with them
        text = "a message that does not fit its arguments"
    failed = record.exc_info[1] if record.exc_info else None
    record.msg = redact(text if failed is None else f"{text.splitlines()[0] if text else 'failed'}: {place(failed)}")
    record.args, record.exc_info, record.exc_text, record.stack_info = None, None, None, None
    return record


def _harmless(arguments: Any) -> Any:
    if isinstance(arguments, tuple):
        return tuple(map(_told, arguments))
    return {name: _told(value) for name, value in arguments.items()} if isinstance(arguments, dict) else arguments


def _told(argument: Any) -> Any:
    # Our own errors hold no values and say what to do; of others only the kind is known to be harmless.
    is_foreign = isinstance(argument, BaseException) and not isinstance(argument, BalanceRiskError)
    return place(argument) if is_foreign else argument


def _thread_died(died: threading.ExceptHookArgs) -> None:
    if died.exc_value is not None and not isinstance(died.exc_value, SystemExit):
        LOGGER.error("a thread ended: %s", place(died.exc_value, died.exc_traceback))


def _unraisable(failed: Any) -> None:
    if failed.exc_value is not None:
        LOGGER.error("while something was cleared away: %s", place(failed.exc_value, failed.exc_traceback))
