"""params.yaml as a frozen, checked model: every wrong name, type or value is found before any work starts."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from data_contracts.errors import MissingInputError, SettingsError
from data_contracts.violations import shown
from models.outcomes import OUTCOMES
from models.outcomes.outcome import Outcome
from models.promotion_policy import Policy

Checked = TypeVar("Checked", bound=BaseModel)

_Around1 = tuple[Annotated[float, Field(gt=0, le=1)], Annotated[float, Field(ge=1)]]
"""Lower and upper limit of a number that is best at 1."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SimulateSettings(_Section):
    """The synthetic cohort."""

    persons: int = Field(default=10_000, ge=100, le=1_000_000)
    seed: int = Field(default=17, ge=0, lt=2**32)
    start: date = date(2021, 1, 1)
    end: date = date(2026, 1, 1)
    scenarios: tuple[str, ...] = ()
    format: Literal["csv", "parquet", "fhir"] = "csv"
    workers: int | None = Field(default=None, ge=1)
    attainable: bool = False


class IngestSettings(_Section):
    """From a source to tables; the command line may name another source and mapping."""

    source: str | None = None
    mapping: Path | None = None
    received_on: date | None = None
    max_quarantined_share: float = Field(default=0.05, ge=0, le=1)
    known_from_assumptions: dict[str, str] = {}
    self_certification: Literal["extended", "ordinary"] = "extended"


class TrainingSettings(_Section):
    """Which persons at which index dates, and which of them are held out."""

    data_as_of: date | None = None
    first_index_date: date | None = None
    last_index_date: date | None = None
    months_between: int = Field(default=3, ge=1, le=12)
    registration_lag_days: int = Field(default=14, ge=0)
    test_share: float = Field(default=0.3, gt=0, lt=1)
    test_months: int = Field(default=12, ge=1)


class LightGBMSettings(_Section):
    """Size of the boosted trees."""

    num_leaves: int = Field(default=15, ge=2)
    n_estimators: int = Field(default=200, ge=1)
    learning_rate: float = Field(default=0.04, gt=0, le=1)
    min_child_samples: int = Field(default=80, ge=1)
    feature_fraction: float = Field(default=0.4, gt=0, le=1)


class TrainSettings(_Section):
    """How candidates are fitted and compared."""

    seed: int = Field(default=17, ge=0)
    folds: int = Field(default=5, ge=2)
    refits: int = Field(default=20, ge=2)
    tuning_minutes: float = Field(default=0.0, ge=0)
    comparison_persons: int = Field(default=20_000, ge=1_000)
    insufficient: Literal["leave out", "report"] = "leave out"
    lightgbm: LightGBMSettings = LightGBMSettings()


class EvaluateSettings(_Section):
    """How the held-out rows are judged."""

    seed: int = Field(default=17, ge=0)
    bootstrap: int = Field(default=200, ge=20)


def _parameters_of(outcome: Outcome) -> type[_Section]:
    """Return the section of one outcome, as the outcome declares it."""
    numbers: dict[str, Any] = {
        name: (int, Field(default=getattr(outcome, name), ge=low, le=high))
        for name, (low, high) in outcome.parameters.items()
    }
    return create_model(f"Parameters of {outcome.name}", __base__=_Section, **numbers)


_SECTIONS: dict[str, Any] = {
    name: (section, section()) for name, section in ((one.name, _parameters_of(one)) for one in OUTCOMES.values())
}
_Sections: Any = create_model("_Sections", __base__=_Section, **_SECTIONS)


class OutcomeSettings(_Sections):
    """The outcomes that can be trained, each with the parameters that it declares."""

    def of(self, outcome: str) -> dict[str, Any]:
        """Return the parameters of an outcome by name."""
        parameters: _Section = getattr(self, outcome)
        return parameters.model_dump()


class PromotionSettings(_Section):
    """The numbers of the policy by which a version may go into service; docs/promotion.md says what each line means."""

    four_eyes: bool = Policy.four_eyes
    fewest_test_events: int = Field(default=Policy.fewest_test_events, ge=1)
    observed_to_expected: _Around1 = Policy.observed_to_expected
    good_calibration: _Around1 = Policy.good_calibration
    widest_observed_to_expected: float = Field(default=Policy.widest_observed_to_expected, gt=1)
    calibration_slope: _Around1 = Policy.calibration_slope
    good_slope: _Around1 = Policy.good_slope
    largest_detectable_ratio: float = Field(default=Policy.largest_detectable_ratio, gt=1)
    fewest_resamples: int = Field(default=Policy.fewest_resamples, ge=20)
    fewest_refits: int = Field(default=Policy.fewest_refits, ge=2)
    most_versions_on_test_rows: int = Field(default=Policy.most_versions_on_test_rows, ge=1)
    auroc_margin: float = Field(default=Policy.auroc_margin, ge=0, lt=0.5)
    net_benefit_margin: float = Field(default=Policy.net_benefit_margin, ge=0, lt=1)
    loss_margin: float = Field(default=Policy.loss_margin, ge=0, lt=1)

    def policy(self) -> Policy:
        """Return them as the policy takes them."""
        return Policy(**self.model_dump())


class MonitoringSettings(_Section):
    """What monitor compares, and from when on it calls out; docs/monitoring.md says what each number does."""

    months: int = Field(default=3, ge=1, le=12)
    false_discovery_rate: float = Field(default=0.05, gt=0, lt=1)
    smallest_level: float = Field(default=0.2, ge=0)
    smallest_missing: float = Field(default=0.1, ge=0, le=1)
    calibration_alpha: float = Field(default=0.05, gt=0, lt=1)
    calibration_tolerance: float = Field(default=0.1, ge=0, le=0.5)


class Settings(_Section):
    """All of params.yaml."""

    simulate: SimulateSettings = SimulateSettings()
    ingest: IngestSettings = IngestSettings()
    training: TrainingSettings = TrainingSettings()
    train: TrainSettings = TrainSettings()
    evaluate: EvaluateSettings = EvaluateSettings()
    outcomes: OutcomeSettings = OutcomeSettings()
    promotion: PromotionSettings = PromotionSettings()
    monitoring: MonitoringSettings = MonitoringSettings()


def read_settings(path: Path) -> Settings:
    """Read and check a params file; raises MissingInputError or SettingsError."""
    return read_checked(path, Settings, "Run where params.yaml is, or name it with --params.")


def read_checked(path: Path, kind: type[Checked], advice: str) -> Checked:
    """Read a YAML file as a declared kind; raises MissingInputError with the advice, or SettingsError with every fault."""
    try:
        numbers = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        raise MissingInputError(f"{path}: no such file. {advice}") from None
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}. {advice}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path}: not UTF-8 text, so not valid YAML. Save it as UTF-8.") from None
    except RecursionError:
        raise SettingsError(f"{path}: nested too deeply, not valid YAML for settings.") from None
    except yaml.MarkedYAMLError as error:  # its own text quotes the line, which may be one with a password
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise SettingsError(f"{path}{line}: not valid YAML. {_name(str(error.problem))}.") from None
    except (yaml.YAMLError, ValueError):  # ValueError: a date that the calendar does not have
        raise SettingsError(f"{path}: not valid YAML. Is there a date that does not exist?") from None
    try:
        return kind.model_validate(numbers)
    except ValidationError as error:
        lines = [
            f"  {'.'.join(_name(str(part)) for part in fault['loc'])}: {_problem(fault['msg'], fault['input'])}"
            for fault in error.errors()
        ]
        raise SettingsError(f"{path}: {len(lines)} setting(s) are wrong.\n" + "\n".join(lines)) from None


def _name(text: str) -> str:
    return "(an address)" if "@" in text else shown(text)


def _problem(message: str, value: Any) -> str:
    # A database address stands in this file, and sometimes in the wrong place of it.
    is_harmless = value is None or (isinstance(value, str | int | float | date) and not set("@:") & set(str(value)))
    return f"{message} (got {shown(repr(value))})" if is_harmless else message
