import numpy as np
import pytest

from models.published_models import roelen_days_log_odds
from models.risk_model import risk_of


@pytest.mark.parametrize(
    ("age", "days", "health", "risk"), [(45, 10, 4, 0.0511), (45, 60, 2, 0.2432), (45, 0, 5, 0.0239)]
)
def test_roelen_days_model(age, days, health, risk):
    assert float(risk_of(np.array(roelen_days_log_odds(age, days, health)))) == pytest.approx(risk, abs=5e-5)
