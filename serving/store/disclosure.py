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
LOWEST_SHARE, HIGHEST_SHARE = ROUNDED_TO_PERCENT, 100 - ROUNDED_TO_PERCENT
"""What is less, or more, is told as these: 0 and 100 percent would be said of everybody."""

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
    """Return the shares in percent, rounded, and never nobody or everybody."""
    shares = (ROUNDED_TO_PERCENT * round(100 * count / sum(counts) / ROUNDED_TO_PERCENT) for count in counts)
    return tuple(min(max(share, LOWEST_SHARE), HIGHEST_SHARE) for share in shares)


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

    def unknown(self) -> Counter[Cell]:
        """Return by cell how many are not known any more: erased, withdrawn, or another employment of one who is known."""
        return Counter(self.cells) - Counter(self.members.values())

    def undivided(self) -> Block:
        """Return it without units."""
        cells: Counter[Cell] = Counter()
        for (_, category), count in self.cells.items():
            cells["", category] += count
        return Block(
            self.place, self.month, cells, {one: ("", category) for one, (_, category) in self.members.items()}
        )


def industry_told(companies: Mapping[str, Block], levels: Mapping[str, int], n_categories: int, fewest: int) -> Told:
    """Return what may be told of an industry: the sum of its companies, so that those that are told of add nothing to it.

    What is left of it without them must be nothing, or large enough and of two companies or more.

    Parameters
    ----------
    companies : mapping
        Company -> what it was last told of; those in which nobody is counted are none.
    levels : mapping
        Company -> how many categories were told of that; missing where nothing was.
    """
    sizes = [sum(block.cells.values()) for block in companies.values()]
    if len(sizes) < FEWEST_COMPANIES or 2 * max(sizes) > sum(sizes):
        return Told(None, None, "too_few_companies")
    everybody = together(companies.values())
    for level in dict.fromkeys((n_categories, 2)):
        rest = [block for company, block in companies.items() if levels.get(company, 0) < level]
        left = _persons(together(rest), n_categories, level)
        is_safe = not rest or (len(rest) > 1 and may_be_told(left, fewest))
        if is_safe and may_be_told(_persons(everybody, n_categories, level), fewest):
            shown = _shown(everybody.cells, n_categories, level)
            return Told(_size(sum(shown)), rounded(shown), None)
    return Told(None, None, "too_few_in_cell")


def together(blocks: Iterable[Block]) -> Block:
    """Return blocks as one without parts: their cells added, and each person known once, as in the last one."""
    cells: Counter[Cell] = Counter()
    members: dict[str, Cell] = {}
    for block in map(Block.undivided, blocks):
        cells.update(block.cells)
        members |= block.members
    return Block("", "", cells, members)


def _persons(block: Block, n_categories: int, level: int) -> Sequence[int]:
    """Return how many are known, each once: who was erased is not, and who has two employments is one."""
    return _shown(Counter(block.members.values()), n_categories, level)


def _shown(cells: Mapping[Cell, int], n_categories: int, level: int) -> Sequence[int]:
    counts = [cells.get(("", category), 0) for category in range(n_categories)]
    return counts if level == n_categories else merged(counts)


def block_of(cohort: Cohort) -> Block:
    """Return a cohort of now by its cells."""
    members = {person: (cohort.part_of(person), category) for person, category in cohort.categories.items()}
    return Block("", "", Counter(members.values()), members)


def tells_of_few(then: Block, now: Block, last: int) -> bool:
    """True if the difference of two blocks is, or may be, of one to four persons, or of persons of one category only.

    Asked at three grains, as persons, as the last category against the others, and as all categories; and of any union of
    parts: who came, went or changed category is counted by part, who only went from one part to another by pair of parts,
    as those cancel in the union of the two. If each of these numbers is 0 or large, so is that of every union. Who is not
    known any more may have gone, or be among those who came: enough must have changed either way.
    """
    if not (then.is_divided and now.is_divided):
        then, now = then.undivided(), now.undivided()
    grains: list[Callable[[int], int]] = [lambda _: 0, lambda category: int(category == last)]
    if last > 1 and not any(category == NOT_DIVIDED for _, category in then.cells):
        grains.append(lambda category: category)
    return any(
        _is_few(list(changes.values()), is_of_persons=number == 0)
        for number, grain in enumerate(grains)
        for changes in _changes(_coarser(then, grain), _coarser(now, grain))
    )


Range = tuple[int, int]


def _is_few(changes: Sequence[Range], *, is_of_persons: bool) -> bool:
    """One side that changes alone tells on which side each of those is who came or went."""
    is_one_sided = not is_of_persons and sum(most > 0 for _, most in changes) == 1
    return is_one_sided or any(most > 0 and least < FEWEST_CHANGED for least, most in changes)


def _coarser(block: Block, grain: Callable[[int], int]) -> Block:
    cells: Counter[Cell] = Counter()
    for (part, category), count in block.cells.items():
        cells[part, grain(category)] += count
    members = {one: (part, grain(category)) for one, (part, category) in block.members.items()}
    return Block(block.place, block.month, cells, members)


def _changes(then: Block, now: Block) -> Iterator[dict[int, Range]]:
    """Yield by part, and by pair of parts, how many changed in each category, at least and at most."""
    gone, come = Counter(then.members.values()), Counter(now.members.values())
    of_pair: dict[frozenset[str], Counter[int]] = {}
    for one, cell in then.members.items():
        (part, category), other = cell, now.members.get(one)
        if other is not None and other[1] == category:
            gone[cell] -= 1
            come[other] -= 1
            if other[0] != part:
                of_pair.setdefault(frozenset((part, other[0])), Counter())[category] += 1
    unknown, unknown_now = then.unknown(), now.unknown()
    of_part: dict[str, dict[int, Range]] = {}
    for cell in {*then.cells, *now.cells}:
        known = gone[cell] + come[cell]
        maybe_same = min(unknown[cell], come[cell]) + min(unknown_now[cell], gone[cell])
        most = known + unknown[cell] + unknown_now[cell]
        of_part.setdefault(cell[0], {})[cell[1]] = known - maybe_same, most
    yield from of_part.values()
    yield from ({category: (n, n) for category, n in moved.items()} for moved in of_pair.values())
