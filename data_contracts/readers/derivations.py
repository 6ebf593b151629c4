"""Columns that a source does not have and that a mapping works out from what it has: days above all.

::

    derive:
      absent_on: {month: Month, first_month: 2007-07, weekday: Weekday, monday: 2}   # or year: Year for first_month
      absent_until: {day: absent_on, lasts: Hours, per_day: 8, unit: workdays}
      first_seen: {earliest: absent_on, per: ID}
      hired_on: {day: first_seen, minus_years: Service}
      born: {day: first_seen, minus_years: Age, form: year}
      record: {row: uci-}

``day`` and ``earliest`` name a column of the source or one worked out further up. Each of them is an assumption, and
:attr:`sentence` says it with the widest error that it can make.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from data_contracts.readers.mapping_part import Name, Part


class _Derived(Part):
    in_order: ClassVar[bool] = False
    """True where the order of the rows decides: a database has none."""


class MonthDay(_Derived):
    """A day in the middle of a month, of which the source knows the month and perhaps the weekday."""

    month: Name
    year: Name | None = None
    first_month: Annotated[str, Field(pattern=r"^(19|20)\d\d-(0[1-9]|1[0-2])$")] | None = None
    weekday: Name | None = None
    monday: Annotated[int, Field(ge=0, le=9)] | None = None

    @model_validator(mode="after")
    def _is_complete(self) -> MonthDay:
        if (self.year is None) == (self.first_month is None):
            raise ValueError(
                "say the year in one way: year names its column, first_month (such as 2007-07) is the "
                "month of the first row of a file whose rows are in the order of time"
            )
        if (self.weekday is None) != (self.monday is None):
            raise ValueError("weekday (a column of numbers) and monday (its number for Mondays) belong together")
        return self

    @property
    def inputs(self) -> list[str]:
        """Return the columns that this is worked out from."""
        return [name for name in (self.month, self.year, self.weekday) if name]

    @property
    def sentence(self) -> str:
        """Return what is assumed."""
        year = f"the year of {self.year}" if self.year else f"the rows in order of time from {self.first_month} on"
        if self.weekday:
            return f"the third {self.weekday} in {self.month}, {year}: up to 14 days too early or too late"
        return f"the 16th of {self.month}, {year}: up to 15 days too early or too late"


class DayAfter(_Derived):
    """The last of so many days, the first of which is ``day``."""

    day: Name
    lasts: Name
    per_day: Annotated[float, Field(gt=0, le=1440)] = 1
    unit: Literal["days", "workdays"] = "days"

    @property
    def inputs(self) -> list[str]:
        """Return the columns that this is worked out from."""
        return [self.day, self.lasts]

    @property
    def sentence(self) -> str:
        """Return what is assumed."""
        kind = "days in a row" if self.unit == "days" else "days from Monday to Friday"
        return f"the last of {self.lasts} / {self.per_day:g} {kind} from {self.day} on, begun days counted whole"


class YearsBefore(_Derived):
    """So many completed years before ``day``."""

    day: Name
    minus_years: Name
    form: Literal["date", "year"] = "date"

    @property
    def inputs(self) -> list[str]:
        """Return the columns that this is worked out from."""
        return [self.day, self.minus_years]

    @property
    def sentence(self) -> str:
        """Return what is assumed."""
        what = "the day" if self.form == "date" else "the year"
        return (
            f"{what} {self.minus_years} years before {self.day}: up to a year too late, as only whole years are known"
        )


class Earliest(_Derived):
    """The earliest ``earliest`` of all rows with the same ``per``."""

    earliest: Name
    per: Name

    @property
    def inputs(self) -> list[str]:
        """Return the columns that this is worked out from."""
        return [self.earliest, self.per]

    @property
    def sentence(self) -> str:
        """Return what is assumed."""
        return f"the earliest {self.earliest} of each {self.per}: nobody is known of before"


class RowName(_Derived):
    """A name for a row that has none: its number in the file behind a prefix."""

    row: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,31}$")]

    inputs: ClassVar[list[str]] = []
    in_order: ClassVar[bool] = True

    @property
    def sentence(self) -> str:
        """Return what is assumed."""
        return f"{self.row} and the row's number: a corrected row is known again only in its old place"


FORMS: dict[str, type[Part]] = {
    "month": MonthDay, "lasts": DayAfter, "minus_years": YearsBefore, "earliest": Earliest, "row": RowName,
}  # fmt: skip
"""The key by which each way of working a column out is recognised."""


def _form(given: Any) -> str | None:
    keys = given if isinstance(given, dict) else ()
    return next((key for key in FORMS if key in keys), None)


Derivation = Annotated[
    Annotated[MonthDay, Tag("month")]
    | Annotated[DayAfter, Tag("lasts")]
    | Annotated[YearsBefore, Tag("minus_years")]
    | Annotated[Earliest, Tag("earliest")]
    | Annotated[RowName, Tag("row")],
    Discriminator(
        _form,
        custom_error_type="unknown_form",
        custom_error_message="not understood. One of these keys must be there: month, lasts, minus_years, earliest, row",
    ),
]


def is_in_order(derivation: Derivation) -> bool:
    """Return whether the order of the rows decides what is worked out."""
    return derivation.in_order or (isinstance(derivation, MonthDay) and derivation.first_month is not None)


def is_day(name: str, derive: dict[str, Derivation]) -> bool:
    """Return whether a worked-out column holds days."""
    rule = derive[name]
    return not isinstance(rule, RowName) and not (isinstance(rule, YearsBefore) and rule.form == "year")


def reach(name: str, derive: dict[str, Derivation]) -> list[str]:
    """Return a worked-out column behind all those it hangs on; nothing for a column of the source."""
    if name not in derive:
        return []
    before = [one for source in derive[name].inputs for one in reach(source, derive)]
    return [*dict.fromkeys(before), name]


def derive_faults(derive: dict[str, Derivation], used: set[str]) -> Iterator[str]:
    """Yield what is wrong between the worked-out columns of a mapping; ``used`` are the names that its tables take."""
    above: dict[str, Derivation] = {}
    taken: set[str] = {*used}
    for name, rule in derive.items():
        for one in rule.inputs:
            if one in derive and one not in above:
                yield f"derive.{name}: {one} must be worked out above it."
            elif one in above and not (one in _days_of(rule) and is_day(one, above)):
                yield f"derive.{name}: {one} is worked out, but is not what is needed there."
        above[name] = rule
        taken.update(rule.inputs)
    for name in derive:
        if name not in taken:
            yield f"derive.{name}: no table takes it. Take it under columns, or leave it out."


def _days_of(rule: Derivation) -> list[str]:
    """Return the inputs that are days."""
    if isinstance(rule, Earliest):
        return [rule.earliest]
    return [rule.day] if isinstance(rule, DayAfter | YearsBefore) else []
