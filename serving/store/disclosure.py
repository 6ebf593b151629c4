"""The rules by which a distribution may be told, and by which two of them are too near each other. Numbers only, no store.

Terms: a *cell* is a category of a part; a *block* is all cells of a cohort. See docs/store.md and decision 33.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from serving.store.cohorts import Cohort
from serving.workplace_measures import merged

FEWEST_PERSONS = 10
FEWEST_BY_DIAGNOSIS = 30
"""A diagnosis is told of with more care."""

FEWEST_IN_CELL = 5
FEWEST_CHANGED = 5
ROUNDED_TO_PERCENT = 5
SIZES = ((100, "100 or more"), (50, "50 to 99"), (20, "20 to 49"), (FEWEST_PERSONS, "10 to 19"))
NOT_DIVIDED = -1
"""Category of a cohort of before distributions, of which two sides were told: on the first side."""

FEWEST_COMPANIES = 5

WhyNot = Literal["too_few_persons", "too_few_in_cell", "too_few_companies"]
Cell = tuple[str, int]


@dataclass(frozen=True)
class Told:
    """Rounded shares of two or three categories and the size of their group, or the reason why there are none."""

    persons: str | None
    shares: tuple[int, ...] | None
    why_not: WhyNot | None


def told_of(counts: Sequence[int], fewest: int) -> Told:
    """Return what may be told of a group by category: all, the first ones as one, or nothing."""
    if sum(counts) < fewest:
        return Told(None, None, "too_few_persons")
    for shown in (tuple(counts), merged(counts)):
        if may_be_told(shown, fewest):
            return Told(_size(sum(shown)), rounded(shown), None)
    return Told(None, None, "too_few_in_cell")


def may_be_told(counts: Sequence[int], fewest: int) -> bool:
    """True if a group and each of its categories, and so each complement, are large enough."""
    return sum(counts) >= fewest and min(counts) >= FEWEST_IN_CELL


def rounded(counts: Sequence[int]) -> tuple[int, ...]:
    """Return the shares in percent, rounded."""
    return tuple(ROUNDED_TO_PERCENT * round(100 * count / sum(counts) / ROUNDED_TO_PERCENT) for count in counts)


def _size(n: int) -> str:
    return next(words for least, words in SIZES if n >= least)


def fewest_of(size: str) -> int:
    """Return where a range of persons starts."""
    return next(least for least, words in SIZES if words == size)


def units_told(counts: Mapping[str, Sequence[int]], fewest: int) -> dict[str, tuple[int, int]]:
    """Return the units that may be told of, each in two categories.

    What is left of the company could be found by subtraction, so it must be as large as a unit. Where it is not, the
    smallest unit is not told either: the two together are large enough, as that unit alone is.

    Parameters
    ----------
    counts : mapping
        Unit -> persons by category; the empty name is those without a unit.
    """
    pairs = {unit: merged(by_category) for unit, by_category in counts.items()}
    told = {unit: pair for unit, pair in pairs.items() if unit and may_be_told(pair, fewest)}
    rest = [sum(pair[side] for unit, pair in pairs.items() if unit not in told) for side in (0, 1)]
    if told and any(rest) and not may_be_told(rest, fewest):
        del told[min(told, key=lambda unit: (sum(told[unit]), unit))]
    return told if len(pairs) > 1 else {}


def industry_told(companies: Mapping[str, Cohort], levels: Mapping[str, int], n_categories: int, fewest: int) -> Told:
    """Return what may be told of an industry.

    What is left of it without the companies that are told of must be nothing, or large enough and of two companies or more.

    Parameters
    ----------
    companies : mapping
        Company -> its cohort; those in which nobody is counted are none.
    levels : mapping
        Company -> how many categories are told of it; missing where nothing is.
    """
    sizes = {company: len(cohort.categories) for company, cohort in companies.items()}
    everybody = union(companies.values())
    if len(sizes) < FEWEST_COMPANIES or 2 * max(sizes.values()) > len(everybody.categories):
        return Told(None, None, "too_few_companies")
    for level in dict.fromkeys((n_categories, 2)):
        shown = _shown(everybody, n_categories, level)
        rest = [company for company in companies if levels.get(company, 0) < level]
        known = union(cohort for company, cohort in companies.items() if company not in rest).categories
        left = Cohort({p: c for p, c in everybody.categories.items() if p not in known})
        is_safe = not left.categories or (len(rest) > 1 and may_be_told(_shown(left, n_categories, level), fewest))
        if may_be_told(shown, fewest) and is_safe:
            return Told(_size(sum(shown)), rounded(shown), None)
    return Told(None, None, "too_few_in_cell")


def union(cohorts: Iterable[Cohort]) -> Cohort:
    """Return the persons of several cohorts, each once."""
    found: dict[str, int] = {}
    for cohort in cohorts:
        found |= cohort.categories
    return Cohort(found)


def _shown(cohort: Cohort, n_categories: int, level: int) -> Sequence[int]:
    counts = cohort.counts(n_categories)
    return counts if level == n_categories else merged(counts)


@dataclass(frozen=True)
class Block:
    """A cohort that was computed: how many were in each cell, and which cell those were in who are still known."""

    place: str
    month: str
    cells: Mapping[Cell, int]
    members: Mapping[str, Cell]

    @property
    def is_divided(self) -> bool:
        """True if it was computed by unit."""
        return any(part for part, _ in self.cells)

    def undivided(self) -> Block:
        """Return it without units."""
        cells: Counter[Cell] = Counter()
        for (_, category), count in self.cells.items():
            cells["", category] += count
        return Block(
            self.place, self.month, cells, {one: ("", category) for one, (_, category) in self.members.items()}
        )


def block_of(cohort: Cohort) -> Block:
    """Return a cohort of now by its cells."""
    members = {person: (cohort.part_of(person), category) for person, category in cohort.categories.items()}
    return Block("", "", Counter(members.values()), members)


def tells_of_few(then: Block, now: Block, last: int) -> bool:
    """True if the difference of two blocks is of one to four persons, or of persons of one category only.

    Asked at three grains, as persons, as the last category against the others, and as all categories; and of any union of
    parts: who came, went or changed category is counted by part, who only went from one part to another by pair of parts,
    as those cancel in the union of the two. If each of these numbers is 0 or large, so is that of every union.
    """
    if not (then.is_divided and now.is_divided):
        then, now = then.undivided(), now.undivided()
    stayed = Counter((cell, now.members[one]) for one, cell in then.members.items() if one in now.members)
    grains: list[Callable[[int], int]] = [lambda _: 0, lambda category: int(category == last)]
    if last > 1 and not any(category == NOT_DIVIDED for _, category in then.cells):
        grains.append(lambda category: category)
    return any(
        _is_few(list(changes.values()), is_of_persons=number == 0)
        for number, grain in enumerate(grains)
        for changes in _changes(then, now, stayed, grain)
    )


def _is_few(changes: Sequence[int], *, is_of_persons: bool) -> bool:
    """One side that changes alone tells on which side each of those is who came or went."""
    is_one_sided = not is_of_persons and sum(map(bool, changes)) == 1
    return is_one_sided or any(0 < n < FEWEST_CHANGED for n in changes)


def _changes(
    then: Block, now: Block, stayed: Mapping[tuple[Cell, Cell], int], grain: Callable[[int], int]
) -> Iterator[dict[int, int]]:
    """Yield by part, and by pair of parts, how many changed in each category."""
    of_part: dict[str, Counter[int]] = {}
    of_pair: dict[frozenset[str], Counter[int]] = {}
    for block in (then, now):
        for (part, category), count in block.cells.items():
            of_part.setdefault(part, Counter())[grain(category)] += count
    for ((part, category), (other, category_now)), count in stayed.items():
        if grain(category) == grain(category_now):
            of_part[part][grain(category)] -= count
            of_part[other][grain(category)] -= count
            if part != other:
                of_pair.setdefault(frozenset((part, other)), Counter())[grain(category)] += count
    yield from (*of_part.values(), *of_pair.values())
