"""Lab results of the benchmark: two panels of 20 analytes a person, one person in ten has a third."""

from __future__ import annotations

import numpy as np

from data_contracts.analytes import ANALYTES, Analyte
from data_contracts.tables import Coded, Table

PANELS, ANALYTES_PER_PANEL = 3, 20
_LEFT_OUT = (
    ("bmi", "egfr", "non_hdl", "ldl", "cortisol", "vitamin_b12"),
    ("weight", "creatinine", "cortisol", "vitamin_b12", "alat", "ggt"),
    ("height", "non_hdl", "total_cholesterol", "free_t4", "tsh", "haemoglobin"),
)
"""Kinds of panel: one leaves bmi, egfr, LDL and non-HDL to be computed, one measures them, one has a part of the inputs."""
_CENTRES = {"height": 172.0, "weight": 78.0, "cortisol": 350.0, "vitamin_d": 60.0, "crp": 2.5, "egfr": 85.0}
_OPEN_ENDED = 1.4

_NAMES = [analyte.name for analyte in ANALYTES]
_PANELS = np.array([[_NAMES.index(name) for name in _NAMES if name not in out] for out in _LEFT_OUT])
assert _PANELS.shape[1] == ANALYTES_PER_PANEL
_FLAT = [code for analyte in ANALYTES for code in analyte.codes]
_N_CODES = np.array([len(analyte.codes) for analyte in ANALYTES])
_FIRST_CODE = np.cumsum(_N_CODES) - _N_CODES
_FACTOR, _OFFSET = np.array([(code.factor, code.offset) for code in _FLAT]).T
_UNITS = tuple(dict.fromkeys(code.unit for code in _FLAT))
_CODES = tuple(dict.fromkeys(code.code for code in _FLAT))
_SYSTEMS = ("NPU", "LOINC")
_TEXTS = np.array([(_SYSTEMS.index(c.code_system), _CODES.index(c.code), _UNITS.index(c.unit)) for c in _FLAT])


def _centre(analyte: Analyte) -> float:
    if analyte.name in _CENTRES:
        return _CENTRES[analyte.name]
    low, high = analyte.reference_intervals[0].low, analyte.reference_intervals[0].high
    return high / _OPEN_ENDED if low is None else low * _OPEN_ENDED if high is None else (low + high) / 2


def _limit(analyte: Analyte) -> float:
    ends = [end for one in analyte.reference_intervals[:1] for end in (one.high, one.low) if end is not None]
    return ends[0] if ends else np.nan


_LIMIT = np.array([_limit(analyte) for analyte in ANALYTES])
_CENTRE = np.array([_centre(analyte) for analyte in ANALYTES])
_SPREAD = np.array([0.06 if analyte.name == "height" else 0.35 for analyte in ANALYTES])
_HARD = np.array([(analyte.hard_low, analyte.hard_high) for analyte in ANALYTES])


def lab_results(ids: tuple[str, ...], t: int, random: np.random.Generator) -> Table:
    """All results of some persons, sorted by person and panel; one in fifty twice on one day, under another code."""
    panel, place = np.divmod(np.arange(len(ids) * PANELS * ANALYTES_PER_PANEL), ANALYTES_PER_PANEL)
    n_panels = len(ids) * PANELS
    taken = (np.arange(n_panels) % PANELS > 0) | (random.random(n_panels) < 0.1)
    panel, place = panel[taken[panel]], place[taken[panel]]
    kind = random.choice(len(_PANELS), n_panels, p=[0.6, 0.3, 0.1])
    analyte = _PANELS[kind[panel], place]
    code = random.integers(0, _N_CODES[analyte])
    fate = random.random(len(panel))
    rows = np.sort(np.concatenate([np.arange(len(panel)), np.flatnonzero(fate < 0.05)]))
    again = np.append(False, rows[1:] == rows[:-1])
    panel, analyte, code, fate = panel[rows], analyte[rows], code[rows], fate[rows]
    # Of what comes twice, some is a correction, some a deletion, the rest a second sample under another code.
    other = again & (fate >= 0.03)
    code = _FIRST_CODE[analyte] + np.where(other, (code + 1) % _N_CODES[analyte], code)
    other &= _is_other_code(code)
    day = (t - np.array([800, 400, 40]) - random.integers(-42, 30, (len(ids), 1))).ravel()[panel]
    known = day + random.choice([1, 2, 2, 60], n_panels, p=[0.3, 0.3, 0.38, 0.02])[panel]
    value = _CENTRE[analyte] * np.exp(random.normal(0, _SPREAD[analyte]))
    value = (np.clip(value, *_HARD[analyte].T) - _OFFSET[code]) / _FACTOR[code]
    comparator = np.where(random.random(len(rows)) < 0.03, random.integers(0, 4, len(rows)), -1)
    return _limits(analyte, code, value, random) | {
        "person_id": Coded((panel // PANELS).astype(np.int32), ids),
        "code_system": Coded(_TEXTS[code, 0].astype(np.int32), _SYSTEMS),
        "code": Coded(_TEXTS[code, 1].astype(np.int32), _CODES),
        "comparator": Coded(comparator.astype(np.int32), ("<", "<=", ">=", ">")),
        "unit": Coded(_TEXTS[code, 2].astype(np.int32), _UNITS),
        "laboratory": Coded(np.full(len(rows), -1, dtype=np.int32), ()),
        "sampled_on": day.astype("datetime64[D]"),
        "known_from": (known + np.where(again & ~other, 9, 0)).astype("datetime64[D]"),
        "is_deleted": (again & ~other & (fate < 0.01)).astype(np.float64),
    }  # fmt: skip


def _is_other_code(code: np.ndarray) -> np.ndarray:
    """True where a row has another code than the row before it; codes that differ in the unit only are one fact."""
    return np.append(False, _TEXTS[code[1:], 1] != _TEXTS[code[:-1], 1])


def _limits(analyte: np.ndarray, code: np.ndarray, value: np.ndarray, random: np.random.Generator) -> Table:
    """Values of three digits and, for a third of them, the laboratory's own limits; some values lie on a limit."""
    centre = (_CENTRE[analyte] - _OFFSET[code]) / _FACTOR[code]
    fate, on_limit = random.random((2, len(value)))
    low, high = _rounded(centre * 0.7), _rounded(centre * 1.3)
    low[(fate > 0.3) | ((fate > 0.2) & (fate < 0.25))] = np.nan
    high[fate > 0.25] = np.nan
    own = np.where(np.isnan(high), low, high)
    # As a conversion of units leaves it, which may miss the limit by the last bits.
    fallback = (_LIMIT[analyte] - _OFFSET[code]) / _FACTOR[code]
    limit = np.where(np.isnan(own), fallback, own)
    value = np.where((on_limit < 0.02) & ~np.isnan(limit), limit, _rounded(value))
    return {"value": value, "reference_low": low, "reference_high": high}


def _rounded(values: np.ndarray) -> np.ndarray:
    """Three significant digits, as laboratories report."""
    scale = 10.0 ** (2 - np.floor(np.log10(np.maximum(np.abs(values), 1e-9))))
    return np.round(values * scale) / scale
