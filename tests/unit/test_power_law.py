"""Learning curves: against scipy's own least squares, against a brute-force search, and on data of known exponent."""

import numpy as np
import pytest
from scipy.optimize import curve_fit

from benchmarks.analyses.power_law import EXPONENTS, UNIT, PowerLaws, fit_power_laws

SIZES = np.array([100.0, 300.0, 1000.0, 3000.0, 10_000.0])


def _law(sizes: np.ndarray, asymptote: float, height: float, exponent: float) -> np.ndarray:
    return asymptote + height * (sizes / UNIT) ** -exponent


def _numbers(laws: PowerLaws) -> tuple[float, float, float]:
    return float(laws.asymptote), float(laws.height), float(laws.exponent)


@pytest.mark.parametrize("law", [(20.0, 40.0, 0.5), (0.0, 60.0, 0.12), (35.0, 5.0, 1.7), (50.0, 30.0, 0.3)])
def test_data_of_a_law_give_it_back(law: tuple[float, float, float]) -> None:
    found = fit_power_laws(SIZES, _law(SIZES, *law))
    assert _numbers(found) == pytest.approx(law, rel=2e-3, abs=0.05)
    assert found.residual < 1e-3
    assert found.at(SIZES) == pytest.approx(_law(SIZES, *law), abs=5e-3)


@pytest.mark.parametrize("seed", range(12))
def test_noisy_curves_are_fitted_as_scipy_fits_them(seed: int) -> None:
    draw = np.random.default_rng(seed)
    errors = _law(SIZES, draw.uniform(0, 40), draw.uniform(10, 50), draw.uniform(0.1, 1.2)) + draw.normal(0, 0.7, 5)
    ours = fit_power_laws(SIZES, errors)
    bounds = ([0, 0, EXPONENTS[0]], [np.inf, np.inf, EXPONENTS[1]])
    starts = [(a, b, c) for a in (0.1, 20) for b in (5, 40) for c in (0.1, 0.5, 1.5)]  # it stops in local minima
    theirs = [curve_fit(_law, SIZES, errors, p0=p0, bounds=bounds, max_nfev=20_000)[0] for p0 in starts]
    squares = [float(((_law(SIZES, *law) - errors) ** 2).sum()) for law in theirs]
    best = theirs[int(np.argmin(squares))]
    assert len(SIZES) * float(ours.residual) ** 2 == pytest.approx(min(squares), rel=1e-3, abs=1e-6)
    assert ours.at(SIZES) == pytest.approx(_law(SIZES, *best), abs=0.02)


@pytest.mark.parametrize("seed", range(4))
def test_no_point_of_a_fine_grid_is_better(seed: int) -> None:
    sizes, draw = SIZES[:4], np.random.default_rng(seed)
    errors = np.sort(draw.uniform(20, 80, 4))[::-1] if seed else np.array([50.0, 49.0, 47.0, 20.0])  # 0: bends wrongly
    ours = fit_power_laws(sizes, errors)
    grid = np.stack(np.meshgrid(np.linspace(0, 80, 81), np.linspace(0, 90, 91), np.geomspace(*EXPONENTS, 60)), axis=-1)
    a, b, c = np.moveaxis(grid.reshape(-1, 3), -1, 0)
    curves = a[:, None] + b[:, None] * (sizes / UNIT) ** -c[:, None]
    assert 4 * float(ours.residual) ** 2 <= ((curves - errors) ** 2).sum(axis=1).min() + 1e-9
    assert min(_numbers(ours)) >= 0


def test_a_curve_that_does_not_fall_has_no_exponent() -> None:
    for errors in ([50.0, 50.0, 50.0, 50.0, 50.0], [40.0, 42.0, 44.0, 46.0, 48.0]):
        found = fit_power_laws(SIZES, np.array(errors))
        assert _numbers(found) == pytest.approx((np.mean(errors), 0.0, 0.0))


def test_many_curves_are_fitted_as_each_alone() -> None:
    draw = np.random.default_rng(0)
    errors = _law(SIZES, 20, 40, 0.5) + draw.normal(0, 1, (3, 4, 5))
    together = fit_power_laws(SIZES, errors)
    assert together.exponent.shape == (3, 4) and together.at(np.array([5.0, 50.0])).shape == (3, 4, 2)
    for place in np.ndindex(3, 4):
        alone = _numbers(fit_power_laws(SIZES, errors[place]))
        assert alone == pytest.approx(
            [float(part[place]) for part in (together.asymptote, together.height, together.exponent)]
        )
