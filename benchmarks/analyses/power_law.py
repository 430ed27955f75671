"""Learning curves: error against number of examples as a + b (n / 100)^-c, by least squares.

For a given exponent the best a and b are those of a line with two coefficients that must not be negative, which has a
closed form; the exponent is searched on a grid that is refined around its best point. So a fit needs no start values,
cannot stop in a local minimum of the grid's width, and thousands of resampled curves are fitted in one pass.
"""

from dataclasses import dataclass

import numpy as np

UNIT = 100.0  # examples at which b is the height above the asymptote
EXPONENTS = (0.02, 3.0)  # searched; a curve that falls slower or faster than these ends is at them
MIN_SIZES = 3  # three parameters
_GRID, _ROUNDS = 40, 4
_RELATIVE = 1e-9  # a coefficient this small beside the data is zero


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerLaws:
    """Fitted curves, arrays of one shape: a and b (0 or more) in the unit of the errors, c, and the residuals' root
    mean square. A curve that does not fall has b = 0; its exponent is given as 0.
    """

    asymptote: np.ndarray
    height: np.ndarray
    exponent: np.ndarray
    residual: np.ndarray

    def at(self, sizes: np.ndarray) -> np.ndarray:
        """Fitted errors [..., N] at sizes [N]."""
        fall = (np.asarray(sizes, dtype=float) / UNIT) ** -self.exponent[..., None]
        return self.asymptote[..., None] + self.height[..., None] * fall


def fit_power_laws(sizes: np.ndarray, errors: np.ndarray) -> PowerLaws:
    """Fits every row of `errors` [..., N] (0 or more) at the same `sizes` [N]; N must be at least 3."""
    rows = np.asarray(errors, dtype=float)
    flat = rows.reshape(-1, rows.shape[-1])
    low, high = (np.full(len(flat), np.log(end)) for end in EXPONENTS)
    for _ in range(_ROUNDS):
        grid = np.exp(low[:, None] + (high - low)[:, None] * np.linspace(0, 1, _GRID))  # [B, G]
        squares, *_ = _lines(sizes, flat, grid)
        best = squares.argmin(axis=1)
        step = (high - low) / (_GRID - 1)
        middle = low + step * best
        low, high = (np.clip(middle + sign * step, *np.log(EXPONENTS)) for sign in (-1, 1))
    exponent = np.exp(middle)
    squares, asymptote, height = (part[:, 0] for part in _lines(sizes, flat, exponent[:, None]))
    height = np.where(height <= _RELATIVE * flat.max(axis=1), 0.0, height)
    shape = rows.shape[:-1]
    return PowerLaws(
        asymptote=asymptote.reshape(shape),
        height=height.reshape(shape),
        exponent=np.where(height > 0, exponent, 0.0).reshape(shape),
        residual=np.sqrt(squares / flat.shape[1]).reshape(shape),
    )


def _lines(sizes: np.ndarray, errors: np.ndarray, exponents: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sum of squares, a and b [B, G] of errors [B, N] as a + b x with x of each exponent [B, G], neither negative."""
    x = (np.asarray(sizes, dtype=float) / UNIT) ** -exponents[..., None]  # [B, G, N]
    y = errors[:, None, :]
    mean_x, mean_y = x.mean(axis=-1), y.mean(axis=-1)
    slope = ((x - mean_x[..., None]) * (y - mean_y[..., None])).sum(axis=-1) / ((x - mean_x[..., None]) ** 2).sum(-1)
    slope = np.maximum(slope, 0.0)  # without the fall, the mean is best
    start = mean_y - slope * mean_x
    # Below zero the best line goes through the origin: the sum of squares is convex in (a, b).
    through = (x * y).sum(axis=-1) / (x**2).sum(axis=-1)
    asymptote, height = np.where(start < 0, 0.0, start), np.where(start < 0, through, slope)
    residuals = y - asymptote[..., None] - height[..., None] * x
    return (residuals**2).sum(axis=-1), asymptote, height
