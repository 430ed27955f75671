"""One line of differences.csv in words, the same in tables and sentences."""

from collections.abc import Mapping
from typing import Any

from benchmarks.reporting.missing import is_missing
from benchmarks.scoring.judging import NO_SEED, NOT_SHOWN, ONE_SEED

LIMITS = {ONE_SEED: "one seed", NO_SEED: "sentences only"}
Line = Mapping[str, Any]


def shown_text(line: Line) -> str:
    """The verdict and whom it holds for; where nothing is shown, the size from which on it would have been."""
    if line["verdict"] != NOT_SHOWN:
        return f"{line['verdict']} ({LIMITS[line['reach']]})" if line["reach"] else str(line["verdict"])
    visible = line["visible_points"]
    return f"no (visible from {visible:.1f})" if visible else "no (equal on every resample)"


def p_text(line: Line, name: str = "p_adjusted") -> str:
    """A p-value of the line, by default the adjusted one."""
    return p_words(line[name])


def p_words(p_value: float) -> str:
    """A p-value with three decimals."""
    return "< 0.001" if p_value < 0.001 else f"{p_value:.3f}"


def seeds_text(line: Line) -> str:
    """Student's interval over seeds; empty where there is none."""
    return "" if is_missing(line["seed_low"]) else f"{line['seed_low']:+.1f} to {line['seed_high']:+.1f}"


def measured_text(line: Line) -> str:
    """`Focal loss -2.0 points (95 % over sentences -3.1 to -1.0, one seed, adjusted p 0.012): lower`."""
    intervals = [f"95 % over sentences {line['low']:+.1f} to {line['high']:+.1f}"]
    seeds = seeds_text(line)
    intervals.append(f"over {line['num_seeds']:.0f} seeds {seeds}" if seeds else LIMITS[line["reach"]])
    grounds = ", ".join([*intervals, f"adjusted p {p_text(line)}"])
    return f"{line['label']} {line['difference_points']:+.1f} points ({grounds}): {line['verdict']}"
