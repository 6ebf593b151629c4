"""The records as Great Expectations suites, and a report on tables that holds counts but never a value.

This is the only module that imports great_expectations, and it does so inside its functions: the import takes seconds
and has no place in a request. The suites are generated, so they cannot drift from the records. Every rule that an
accepted table can break is an expectation and names its rule; the others are in ``rules.RULES`` with the
reason. :func:`data_contracts.validation.check` decides row by row; the suites prove afterwards, with other code, that
what it let pass keeps the contract.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from data_contracts.fingerprints import fingerprint
from data_contracts.helper_columns import helper_columns, helper_names, latest_name
from data_contracts.helper_keys import CODE_KEYS, ITEM_KEYS, UNIT_KEYS
from data_contracts.instruments import INSTRUMENTS
from data_contracts.records import (
    TABLES,
    AbsenceSpell,
    Column,
    DateOrder,
    LabResult,
    NumberOrder,
    Record,
    SurveyAnswer,
    columns,
)
from data_contracts.table_parts import TableParts
from data_contracts.tables import Coded, Table

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite

# Great Expectations would otherwise report its use over the network; it reads this when it is imported.
os.environ["GX_ANALYTICS_ENABLED"] = "False"

_COUNTS_ONLY = {"result_format": "BASIC", "partial_unexpected_count": 0, "include_unexpected_rows": False}
_EARLIEST, _LATEST = np.datetime64("1678-01-01"), np.datetime64("2262-01-01")
_DTYPES = {"date": "datetime64[ns]", "integer": "float64", "number": "float64", "flag": "float64"}


def suite(record: type[Record]) -> ExpectationSuite:
    """Return the expectations of a table; each names in its ``meta`` the rule that it states."""
    ExpectationSuite = _great_expectations().ExpectationSuite

    names = (*(column.name for column in columns(record)), *helper_names(record))
    expectations = [
        _expect("unknown field", "table_columns_to_match_set", column_set=list(names), exact_match=True),
        *(expectation for column in columns(record) for expectation in _column_expectations(column)),
        *(_order_expectation(rule) for rule in record.rules),
        *_helper_expectations(record),
        _expect(
            "conflicting versions",
            "compound_columns_to_be_unique",
            column_list=[*record.natural_key, "known_from"],
            ignore_row_if="never",
        ),
    ]
    return ExpectationSuite(record.table, expectations=expectations, meta={"contract": fingerprint(record)})


def run(tables: dict[str, Table], received_on: date) -> dict[str, dict[str, Any]]:
    """Validate tables that arrived on ``received_on``, ``persons`` among them, each as a whole; see :func:`run_in_parts`."""
    return run_in_parts(TableParts.of(tables, 1), received_on)


def run_in_parts(tables: TableParts, received_on: date) -> dict[str, dict[str, Any]]:
    """Validate tables that arrived on ``received_on``, ``persons`` among them, with one part of one table in memory.

    Great Expectations wants every cell as a Python object: a whole population of them fits nowhere. No expectation is about
    rows of two persons (the natural key of a table with persons has ``person_id``), so counts of parts add up.

    Returns per table ``success`` and the ``expectations``: rule, type, column, success and unexpected count.
    ``evaluated`` is false where Great Expectations itself failed, for example because a column is not there.
    """
    gx = _great_expectations()
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = context.data_sources.add_pandas("tables")
    found = {}
    for name in tables.names:
        record, definition = TABLES[name], _definition(gx, context, source, TABLES[name])
        parts = (
            _validate(definition, to_frame(record, part[name], received_on, part["persons"]))
            for part in tables.each(name, "persons")
        )
        found[name] = _added_up(parts)
    return found


def _great_expectations() -> Any:
    with warnings.catch_warnings():
        # Its import uses modules that Python has deprecated; that is not ours or the user's to mend.
        warnings.simplefilter("ignore", DeprecationWarning)
        import great_expectations
    return great_expectations


def _definition(gx: Any, context: Any, source: Any, record: type[Record]) -> Any:
    batch = source.add_dataframe_asset(record.table).add_batch_definition_whole_dataframe(record.table)
    return context.validation_definitions.add(
        gx.ValidationDefinition(name=record.table, data=batch, suite=context.suites.add(suite(record)))
    )


def _validate(definition: Any, frame: pd.DataFrame) -> list[dict[str, Any]]:
    result = definition.run(batch_parameters={"dataframe": frame}, result_format=_COUNTS_ONLY)
    return [_without_values(one) for one in result.results]


def _added_up(parts: Iterable[list[dict[str, Any]]]) -> dict[str, Any]:
    """The parts' reports as one; Great Expectations puts first what it could not evaluate, which may differ by part."""
    sums: dict[tuple[str, ...], dict[str, Any]] = {}
    for part in parts:
        for one in part:
            of = (one["rule"], one["type"], one["column"])
            sums[of] = _sum(sums[of], one) if of in sums else one
    return {"success": all(one["success"] for one in sums.values()), "expectations": [*sums.values()]}


def _sum(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return one | {
        "success": one["success"] and other["success"],
        "evaluated": one["evaluated"] and other["evaluated"],
        "unexpected_count": one["unexpected_count"] + other["unexpected_count"],
    }


def _without_values(result: Any) -> dict[str, Any]:
    """Keep what can be stored: never the offending values, not even an example."""
    kwargs = result.expectation_config.kwargs
    several = [kwargs[name] for name in ("column_A", "column_B") if name in kwargs] or kwargs.get(
        "column_list", ["(all)"]
    )
    return {
        "rule": result.expectation_config.meta["rule"],
        "type": result.expectation_config.type,
        "column": kwargs.get("column") or ", ".join(several),
        "success": bool(result.success),
        "evaluated": not _has_raised(result.exception_info or {}),
        "unexpected_count": int(result.result.get("unexpected_count", 0)),
    }


def _has_raised(info: dict[str, Any]) -> bool:
    # One expectation has one entry, or one per metric that it needed.
    return any(one.get("raised_exception") for one in (info, *info.values()) if isinstance(one, dict))


def to_frame(record: type[Record], table: Table, received_on: date, persons: Table) -> pd.DataFrame:
    """Return a table with its helper columns as the data frame that the suite is written for."""
    everything = table | helper_columns(record, table, received_on, persons)
    return pd.DataFrame({name: _as_series(values) for name, values in everything.items()})


def _as_series(values: Any) -> pd.Series:
    if isinstance(values, Coded):
        words = np.array([*values.vocabulary, None], dtype=object)
        return pd.Series(words[values.codes], dtype=object)
    if values.dtype.kind == "M":
        # Great Expectations compares nanoseconds as columns, all other dates one by one. They end in 1677 and 2262; a
        # date beyond is as far out of bounds at the edge.
        return pd.Series(np.clip(values, _EARLIEST, _LATEST).astype("datetime64[ns]"))
    return pd.Series(values)


def _column_expectations(column: Column) -> list[Any]:
    name, found = column.name, []
    if column.kind in _DTYPES:
        found.append(_expect("type", "column_values_to_be_of_type", column=name, type_=_DTYPES[column.kind]))
    if column.required or name == "is_deleted":
        found.append(_expect("required", "column_values_to_not_be_null", column=name))
    if column.codes:
        found.append(_is_in("codes", name, column.codes))
    if column.kind == "flag":
        found.append(_is_in("type", name, (0.0, 1.0)))
    if column.kind == "integer":
        found.append(_expect("type", "column_values_to_match_regex", column=name, regex=_regex(r"^-?\d+(\.0)?$")))
    if column.pattern:
        found.append(_expect("pattern", "column_values_to_match_regex", column=name, regex=_regex(column.pattern)))
    if column.minimum is not None or column.maximum is not None:
        found.append(_between(column))
    return found


def _between(column: Column) -> Any:
    return _expect(
        "bounds",
        "column_values_to_be_between",
        column=column.name,
        min_value=_limit(column.minimum),
        max_value=_limit(column.maximum),
        strict_min=column.minimum_is_open,
    )


def _regex(pattern: str) -> str:
    """Return the pattern as pandas wants it: no capturing groups, and an end that no line break slips past."""
    return pattern.replace("(", "(?:").replace("$", r"\Z")


def _order_expectation(rule: DateOrder | NumberOrder) -> Any:
    if isinstance(rule, DateOrder):
        return _not_above(rule.rule, rule.earlier, latest_name(rule))
    return _not_above(rule.rule, rule.smaller, rule.larger)


def _helper_expectations(record: type[Record]) -> list[Any]:
    """Return what is said through helper columns (:mod:`data_contracts.helper_columns`)."""
    found = [
        _not_above("known_from in the future", "known_from", "received_on"),
        _expect("national identity number", "column_values_to_be_null", column="identity_number_in"),
    ]
    if "person_in_persons" in helper_names(record):
        found.append(_is_in("person not in persons", "person_in_persons", (1.0,)))
    if record is SurveyAnswer:
        found += [
            _is_in("unknown instrument", "instrument", INSTRUMENTS),
            _is_in("unknown item", "item_key", ITEM_KEYS),
            _is_in("unknown answer code", "answer_is_declared", (1.0,)),
        ]
    if record is LabResult:
        found += [
            _is_in("unknown code", "code_key", CODE_KEYS),
            _is_in("unit mismatch", "unit_key", UNIT_KEYS),
            _not_above("outside hard limits", "hard_low", "canonical_value"),
            _not_above("outside hard limits", "canonical_value", "hard_high"),
            _is_in("systolic not above diastolic", "pressure_is_contradicted", (0.0,)),
        ]
    if record is AbsenceSpell:
        found.append(_is_in("diagnosis system", "diagnosis_fits_system", (1.0,)))
    return found


def _is_in(rule: str, column: str, values: Iterable[Any]) -> Any:
    return _expect(rule, "column_values_to_be_in_set", column=column, value_set=sorted(values))


def _not_above(rule: str, smaller: str, larger: str) -> Any:
    return _expect(
        rule,
        "column_pair_values_a_to_be_greater_than_b",
        column_A=larger,
        column_B=smaller,
        or_equal=True,
        ignore_row_if="either_value_is_missing",
    )


def _limit(value: Any) -> Any:
    return pd.Timestamp(value).to_pydatetime() if isinstance(value, date) else value


def _expect(rule: str, kind: str, **kwargs: Any) -> Any:
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    return ExpectationConfiguration(type=f"expect_{kind}", kwargs=kwargs, meta={"rule": rule})
