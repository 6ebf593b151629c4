"""Survey scores and answering in pandas: one wide frame per instrument, scored by the declared keys."""

from __future__ import annotations

import pandas as pd
from pandas_functions import FUNCTIONS
from pandas_tables import Persons, Tables, last, positions

_FEWEST_FOR_STRAIGHT = 5
_SHORTEST_SPAN, _YEAR = 90, 365.25
_DAYS, _ITEMS = 1 << 16, 1 << 10
"""Person, day and item share one integer."""
_RESPONSE_UNKNOWN = ["days_since_survey", "instruments_answered", "survey_items_missing_share", "straight_lining_share"]
Declarations = dict[str, pd.DataFrame]


def sheets(tables: Tables, keys: Declarations, persons: Persons, t: int) -> dict[str, pd.DataFrame]:
    """Return one frame per instrument: person, day, the scales, how many items are answered, whether all alike.

    They are sorted by person and day.
    """
    instruments = pd.Index(keys["scales"]["instrument"].unique())
    items = pd.Index(keys["items"]["item"].unique())
    rows = persons.of_consenting(tables["survey_answers"], "survey")
    rows = rows[(rows["known_from"] < t) & (rows["answered_on"] < t)]
    place = positions(instruments, rows["instrument"]) * _ITEMS + positions(items, rows["item"])
    rows = pd.DataFrame(
        {
            "sheet": rows["person"] * _DAYS + rows["answered_on"],
            "place": place,
            # Withdrawn: hides the answer before it, and is none itself.
            "answer": rows["answer"].where(rows["is_deleted"] == 0),
            "known_from": rows["known_from"],
        }
    )
    rows["fact"] = rows["sheet"] * (_ITEMS * _ITEMS) + rows["place"]
    rows = last(rows, ["fact"], "known_from")[["sheet", "place", "answer"]].dropna()
    by_instrument = rows.groupby(rows["place"] // _ITEMS)
    return {instruments[number]: _scored(of_one, instruments[number], items, keys) for number, of_one in by_instrument}


def _scored(rows: pd.DataFrame, instrument: str, items: pd.Index, keys: Declarations) -> pd.DataFrame:
    """Spread the answers of an instrument over columns and score them."""
    declared = keys["items"].loc[keys["items"]["instrument"] == instrument, "item"]
    wide = rows.assign(place=rows["place"] % _ITEMS).pivot(index="sheet", columns="place", values="answer")
    wide = wide.reindex(columns=items.get_indexer(declared)).set_axis(declared, axis=1)
    n_answered = wide.notna().sum(axis=1)
    is_straight = (wide.min(axis=1) == wide.max(axis=1)).astype(float).where(n_answered >= _FEWEST_FOR_STRAIGHT)
    columns = {"person": wide.index // _DAYS, "day": wide.index % _DAYS}
    columns |= {name: score.to_numpy() for name, score in _scores(wide, instrument, keys).items()}
    columns |= {"n_items": len(declared), "n_answered": n_answered.to_numpy(), "is_straight": is_straight.to_numpy()}
    return pd.DataFrame(columns)


def _scores(wide: pd.DataFrame, instrument: str, keys: Declarations) -> dict[str, pd.Series]:
    found = {}
    scales = keys["scales"][keys["scales"]["instrument"] == instrument]
    for scale in scales.itertuples():
        its = keys["scale_items"][keys["scale_items"]["scale"] == scale.scale]
        values = wide[its["item"]]
        reversed_items = its.dropna(subset="mirror")
        if len(reversed_items):
            mirrored = reversed_items["mirror"].to_numpy() - values[reversed_items["item"]]
            values = values.assign(**{str(name): column for name, column in mirrored.items()})
        n_answered = values.notna().sum(axis=1)
        if scale.method == "function":
            score = FUNCTIONS[scale.scale](wide)
        elif scale.method == "criteria":
            score = _meets(wide, keys["criteria"][keys["criteria"]["scale"] == scale.scale])
        else:
            score = values.sum(axis=1) * scale.factor / n_answered
        found[scale.scale] = score.where(n_answered >= scale.fewest_answers)
    return found


def _meets(wide: pd.DataFrame, criteria: pd.DataFrame) -> pd.Series:
    """1 if in every part an item reaches its threshold, else 0."""
    parts = [(wide[part["item"]] >= part["threshold"].to_numpy()).any(axis=1) for _, part in criteria.groupby("part")]
    return pd.concat(parts, axis=1).all(axis=1).astype(float)


def survey(frames: dict[str, pd.DataFrame], keys: Declarations, persons: Persons, t: int) -> list[pd.DataFrame]:
    """Return the features of scores and of answering, everybody in order."""
    parts = [persons.in_order(_latest(frame, name, keys, t)) for name, frame in frames.items()]
    return [*parts, persons.with_zeros(_response(frames, t), "survey", _RESPONSE_UNKNOWN)]


def _latest(frame: pd.DataFrame, instrument: str, keys: Declarations, t: int) -> pd.DataFrame:
    """Latest score of every scale, its age, and changes and slopes of what is followed."""
    scales = keys["scales"][keys["scales"]["instrument"] == instrument]
    scored = frame.dropna(subset=scales["scale"].tolist(), how="all").groupby("person")
    # last() is the last that is not missing, of each column by itself.
    latest = scored[scales["scale"].tolist()].last()
    latest[f"{instrument}_age_days"] = t - scored["day"].max()
    followed = [
        trend(frame[["person", "day"]].assign(value=frame[name]).dropna(), "person", name)
        for name in scales.loc[scales["is_followed"], "scale"]
    ]
    return pd.concat([latest, *followed], axis=1)


def trend(rows: pd.DataFrame, group: str, prefix: str) -> pd.DataFrame:
    """Change and yearly slope of ``value`` over the latest two and three days of each group; rows sorted by group and day."""
    groups = rows.groupby(group)
    latest = ~rows[group].duplicated(keep="last")
    value, day = rows["value"][latest], rows["day"][latest]
    # Both counted from the latest, whose own terms are then 0.
    (x1, y1), (x2, y2) = (
        (groups["day"].shift(back)[latest] - day, groups["value"].shift(back)[latest] - value) for back in (1, 2)
    )
    sum_x = x1 + x2
    slope = (3 * (x1 * y1 + x2 * y2) - sum_x * (y1 + y2)) / (3 * (x1 * x1 + x2 * x2) - sum_x * sum_x)
    columns = {f"{prefix}_change": -y1, f"{prefix}_slope": (slope * _YEAR).where(x2 <= -_SHORTEST_SPAN)}
    return pd.DataFrame(columns).set_axis(rows[group][latest])


def _response(frames: dict[str, pd.DataFrame], t: int) -> pd.DataFrame:
    """How, and how often, the person has answered."""
    columns = ["person", "day", "n_items", "n_answered", "is_straight"]
    answered = [frame[columns] for frame in frames.values()]
    days = (pd.concat(answered) if answered else pd.DataFrame(columns=columns, dtype=float)).groupby(["person", "day"])
    days = days.agg(
        instruments_answered=("n_items", "size"),
        n_items=("n_items", "sum"),
        n_answered=("n_answered", "sum"),
        straight_lining_share=("is_straight", "mean"),
    ).reset_index()
    latest = days.drop_duplicates("person", keep="last").set_index("person")
    return pd.DataFrame(
        {
            "survey_days_730": (days["day"] >= t - 730).groupby(days["person"]).sum(),
            "days_since_survey": t - latest["day"],
            "instruments_answered": latest["instruments_answered"],
            "survey_items_missing_share": 1 - latest["n_answered"] / latest["n_items"],
            "straight_lining_share": latest["straight_lining_share"],
        }
    )
