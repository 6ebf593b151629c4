"""The records as Great Expectations suites, and a report on tables that holds counts but never a value.

This is the only module that imports great_expectations, and it does so inside its functions: the import takes seconds
and has no place in a request. The suites are generated, so they cannot drift from the records; what looks at single
answers and analytes (``answer_rules``, ``lab_rules``) stays with :func:`data_contracts.validation.check`.
"""

from __future__ import annotations

import os
import warnings
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from data_contracts.fingerprints import fingerprint
from data_contracts.records import TABLES, Column, DateOrder, NumberOrder, Record, columns
from data_contracts.tables import Coded, Table

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite

# Great Expectations would otherwise report its use over the network; it reads this when it is imported.
os.environ["GX_ANALYTICS_ENABLED"] = "False"

_COUNTS_ONLY = {"result_format": "BASIC", "partial_unexpected_count": 0, "include_unexpected_rows": False}


def suite(record: type[Record]) -> ExpectationSuite:
    """Return the expectations of a table: columns, presence, codes, forms, bounds, orders, unique versions."""
    ExpectationSuite = _great_expectations().ExpectationSuite

    declared = columns(record)
    expectations = [
        _expect("table_columns_to_match_set", column_set=list(_frame_columns(record)), exact_match=True),
        *(expectation for column in declared for expectation in _column_expectations(column)),
        *(_order_expectation(rule) for rule in record.rules),
        _expect(
            "compound_columns_to_be_unique",
            column_list=[*record.natural_key, "known_from"],
            ignore_row_if="never",
        ),
    ]
    return ExpectationSuite(record.table, expectations=expectations, meta={"contract": fingerprint(record)})


def run(tables: dict[str, Table]) -> dict[str, dict[str, Any]]:
    """Validate tables and return, per table, ``success`` and the ``expectations``: type, column, success and unexpected
    count.

    ``evaluated`` is false where Great Expectations itself failed, for example because a column is not there.
    """
    gx = _great_expectations()
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = context.data_sources.add_pandas("tables")
    return {name: _validate(gx, context, source, TABLES[name], table) for name, table in tables.items()}


def _great_expectations() -> Any:
    with warnings.catch_warnings():
        # Its import uses modules that Python has deprecated; that is not ours or the user's to mend.
        warnings.simplefilter("ignore", DeprecationWarning)
        import great_expectations
    return great_expectations


def _validate(gx: Any, context: Any, source: Any, record: type[Record], table: Table) -> dict[str, Any]:
    batch = source.add_dataframe_asset(record.table).add_batch_definition_whole_dataframe(record.table)
    definition = context.validation_definitions.add(
        gx.ValidationDefinition(name=record.table, data=batch, suite=context.suites.add(suite(record)))
    )
    result = definition.run(batch_parameters={"dataframe": to_frame(record, table)}, result_format=_COUNTS_ONLY)
    expectations = [_without_values(one) for one in result.results]
    return {"success": all(one["success"] for one in expectations), "expectations": expectations}


def _without_values(result: Any) -> dict[str, Any]:
    """Keep what can be stored: never the offending values, not even an example."""
    kwargs = result.expectation_config.kwargs
    pair = [kwargs[name] for name in ("column_A", "column_B") if name in kwargs]
    return {
        "type": result.expectation_config.type,
        "column": kwargs.get("column") or ", ".join(pair or kwargs.get("column_list", kwargs.get("column_set", []))),
        "success": bool(result.success),
        "evaluated": not _has_raised(result.exception_info or {}),
        "unexpected_count": int(result.result.get("unexpected_count", 0)),
    }


def _has_raised(info: dict[str, Any]) -> bool:
    # One expectation has one entry, or one per metric that it needed.
    return any(one.get("raised_exception") for one in (info, *info.values()) if isinstance(one, dict))


def to_frame(record: type[Record], table: Table) -> pd.DataFrame:
    """Return a table as the data frame that the suite is written for."""
    frame = pd.DataFrame({name: _as_series(values) for name, values in table.items()})
    for rule in record.rules:
        if isinstance(rule, DateOrder) and rule.slack_days:
            frame[_latest_name(rule)] = frame[rule.later] + pd.Timedelta(days=rule.slack_days)
    return frame


def _as_series(values: Any) -> pd.Series:
    if isinstance(values, Coded):
        words = np.array([*values.vocabulary, None], dtype=object)
        return pd.Series(words[values.codes], dtype=object)
    return pd.Series(values.astype("datetime64[s]") if values.dtype.kind == "M" else values)


def _frame_columns(record: type[Record]) -> tuple[str, ...]:
    slack = [_latest_name(rule) for rule in record.rules if isinstance(rule, DateOrder) and rule.slack_days]
    return (*(column.name for column in columns(record)), *slack)


def _latest_name(rule: DateOrder) -> str:
    """Name the helper column with the latest day ``rule.earlier`` may have; Great Expectations knows no slack."""
    return f"{rule.later}_plus_{rule.slack_days}_days" if rule.slack_days else rule.later


def _column_expectations(column: Column) -> list[Any]:
    name, found = column.name, []
    if column.required or name == "is_deleted":
        found.append(_expect("column_values_to_not_be_null", column=name))
    if column.codes:
        found.append(_expect("column_values_to_be_in_set", column=name, value_set=list(column.codes)))
    if column.kind == "flag":
        found.append(_expect("column_values_to_be_in_set", column=name, value_set=[0.0, 1.0]))
    if column.pattern:
        found.append(_expect("column_values_to_match_regex", column=name, regex=_regex(column.pattern)))
    if column.minimum is not None or column.maximum is not None:
        found.append(_between(column))
    if column.kind == "integer":
        found.append(_expect("column_values_to_match_regex", column=name, regex=_regex(r"^-?\d+(\.0)?$")))
    return found


def _between(column: Column) -> Any:
    return _expect(
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
    smaller, larger = (rule.earlier, _latest_name(rule)) if isinstance(rule, DateOrder) else (rule.smaller, rule.larger)
    return _expect(
        "column_pair_values_a_to_be_greater_than_b",
        column_A=larger,
        column_B=smaller,
        or_equal=True,
        ignore_row_if="either_value_is_missing",
        meta={"rule": rule.rule},
    )


def _limit(value: Any) -> Any:
    return pd.Timestamp(value).to_pydatetime() if isinstance(value, date) else value


def _expect(kind: str, meta: dict[str, str] | None = None, **kwargs: Any) -> Any:
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    return ExpectationConfiguration(type=f"expect_{kind}", kwargs=kwargs, meta=meta or {})
