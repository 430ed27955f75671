"""Made-up cells, studies and published rows for the reporting tests; every value follows from its arguments."""

from collections.abc import Sequence
from itertools import product
from typing import Any

import pandas as pd

from benchmarks.catalog.cards import StudyCard
from benchmarks.reporting.summary import AVERAGE, CellIndex
from benchmarks.scoring.judging import HIGHER, LOWER, NO_SEED, NOT_SHOWN, ONE_SEED

OOD = ("mit_movie", "mit_restaurant", "crossner_ai", "crossner_literature")
OOD_TITLES = {"mit_movie": "Movie", "mit_restaurant": "Restaurant", "crossner_ai": "AI", "crossner_literature": "Lit"}
DEMO = ("demo_kitchen", "demo_harbour", "demo_sky")
DEMO_TITLES = {"demo_kitchen": "Kitchen", "demo_harbour": "Harbour", "demo_sky": "Sky"}
LANGUAGES = (
    ("de", "German", "Latin"), ("en", "English", "Latin"), ("es", "Spanish", "Latin"), ("nl", "Dutch", "Latin"),
    ("tr", "Turkish", "Latin"), ("bn", "Bengali", "Bengali"), ("fa", "Persian", "Arabic"),
    ("hi", "Hindi", "Devanagari"), ("ko", "Korean", "Hangul"), ("ru", "Russian", "Cyrillic"), ("zh", "Chinese", "Han"),
)  # fmt: skip
LANGUAGE_TITLES = {f"mc_{code}": name for code, name, _ in LANGUAGES}


def study(name: str, **changes: Any) -> StudyCard:
    """A study card with harmless defaults."""
    card = {
        "name": name,
        "title": name.replace("_", " ").capitalize(),
        "question": "How much does it matter?",
        "claim": "The paper says it matters.",
        "suite": "ood",
        "layout": "axes",
        "figure": "bars",
    }
    return StudyCard.model_validate(card | changes)


def rows_of(
    variant: str,
    f1: float,
    *,
    label: str = "",
    system: str = "",
    seeds: Sequence[int] = (1,),
    datasets: Sequence[str] = DEMO,
    protocol: str = "gliner_official",
    scale: str = "demo",
    study_name: str = "study",
    costs: bool = True,
) -> list[dict[str, Any]]:
    """All rows of one variant or system: F1 of dataset i is f1 + i, seed s adds 0.5 * (s - 1)."""
    rows: list[dict[str, Any]] = []
    languages = {f"mc_{code}": (code, script) for code, _, script in LANGUAGES}
    for seed in seeds:
        run = "" if system else f"{variant}-s{seed}".replace("=", "-")
        common = {
            "scale": scale, "study": study_name, "variant": variant, "label": label or system or variant, "run": run,
            "seed": "" if system else seed, "system": system, "backbone": "tiny", "suite": "ood", "decoding": "d1",
        }  # fmt: skip
        shift = 0.5 * (seed - 1)
        scores = [(dataset, f1 + place + shift) for place, dataset in enumerate(datasets)]
        scores.append(("average", sum(value for _, value in scores) / len(scores)))
        for (dataset, score), (metric, delta) in product(
            scores, (("f1_pct", 0.0), ("precision_pct", 3.0), ("recall_pct", -3.0), ("reachable_recall_pct", 30.0))
        ):
            language, script = languages.get(dataset, ("en", "Latin"))
            is_f1 = metric == "f1_pct"
            rows.append(
                common
                | {
                    "dataset": dataset, "language": language, "script": script, "protocol": protocol, "metric": metric,
                    "value": score + delta, "low": score - 2.2 if is_f1 else None,
                    "high": score + 2.4 if is_f1 else None,
                    "num_sentences": 200, "path": f"cells/{run or system}/{dataset}/d1/scores.{protocol}.json",
                }
            )  # fmt: skip
        for metric, value in (
            ("words_per_second_train", 2000.0 + 10 * seed), ("words_per_second_predict", 60000 / (1 + f1 / 50)),
            ("bytes_peak_train", 512 * 2.0**20), ("seconds_train", 61.25), ("negative_share_pct", 50.0),
        ):  # fmt: skip
            if costs and not system:
                cost = {"dataset": "", "language": "", "script": "", "protocol": "", "decoding": "", "low": None}
                receipt = {"high": None, "num_sentences": None, "path": f"runs/{run}/receipt.json"}
                rows.append(common | cost | receipt | {"metric": metric, "value": value})
    return rows


def main_cells(seeds: Sequence[int] = (1,), datasets: Sequence[str] = DEMO, scale: str = "demo") -> pd.DataFrame:
    """The headline study: baseline and two systems."""
    shared: dict[str, Any] = {"datasets": datasets, "scale": scale, "study_name": "main_table"}
    return pd.DataFrame(
        rows_of("random-scorer", 1.25, system="random-scorer", label="Random scorer", **shared)
        + rows_of("untrained", 2.0, system="untrained", label="Untrained", **shared)
        + rows_of("baseline", 57.2, label="Baseline", seeds=seeds, **shared)
    )


def main_card() -> StudyCard:
    """The card of the headline study."""
    return study(
        "main_table", layout="datasets", title="Zero-shot NER out of domain", systems=("untrained", "random-scorer"),
        references=({"file": "gliner_2311.08526", "table": "1", "row": "GLiNER-L"},),
    )  # fmt: skip


def width_cells(seeds: Sequence[int] = (1, 2, 3), protocols: Sequence[str] = ("gliner_official",)) -> pd.DataFrame:
    """A numeric axis: K = 4, 6, 8 and the baseline (12)."""
    rows = []
    for place, protocol in enumerate(protocols):
        shared: dict[str, Any] = {"seeds": seeds, "protocol": protocol, "study_name": "width", "costs": place == 0}
        for value, f1 in ((8, 51.0), (4, 44.0), (6, 49.0)):
            rows += rows_of(f"max_width={value}", f1 - 3 * place, label=f"K = {value}", **shared)
        rows += rows_of("baseline", 52.0 - 3 * place, label="Baseline (K = 12)", **shared)
    return pd.DataFrame(rows)


def width_card(**changes: Any) -> StudyCard:
    """The card of the numeric axis."""
    return study("width", title="Maximum span width K", figure="lines", axes={"max_width": [4, 6, 8, 12]}, **changes)


def grid_cells() -> pd.DataFrame:
    """The same axis in a study whose overrides move it away from the scale's baseline."""
    rows = []
    for value, f1 in ((4, 44.0), (8, 51.0), (12, 52.0)):
        variant = rows_of(f"max_width={value}", f1, label=f"max width {value}", seeds=(1, 2), study_name="width")
        rows += [row | {"run": f"max_width-{value}_s{row['seed']}-0a1b2c"} for row in variant]
    return pd.DataFrame(rows)


def loss_cells(protocols: Sequence[str] = ("gliner_official", "no_else")) -> pd.DataFrame:
    """A categorical axis under two protocols, three seeds."""
    rows = []
    for place, protocol in enumerate(protocols):
        shared: dict[str, Any] = {"seeds": (1, 2, 3), "protocol": protocol, "study_name": "loss", "costs": place == 0}
        for variant, label, f1 in (
            ("baseline", "Baseline (BCE)", 50.0),
            ("loss=focal", "Focal loss", 48.0),
            ("loss=double", "Positives x2", 51.0),
        ):  # fmt: skip
            rows += rows_of(variant, f1 + 4 * place, label=label, **shared)
    return pd.DataFrame(rows)


def loss_card() -> StudyCard:
    """The card of the categorical axis."""
    return study("loss", title="Training objective", axes={"loss": ["bce", "focal", "double"]})


def differences(cells: pd.DataFrame, card: StudyCard) -> pd.DataFrame:
    """Differences of the averages, each +-1 over sentences and +-2 over seeds; from 2 points on they are shown."""
    index = CellIndex(cells, card)
    lines = []
    for row in index.rows:
        base = next(other for other in index.rows if other.is_baseline and other.protocol == row.protocol)
        mine, theirs = index.score(row), index.score(base)
        if row == base or mine is None or theirs is None:
            continue
        points, num_seeds = mine.value - theirs.value, 0 if row.system else len(mine.seeds)
        shown = HIGHER if points >= 2 else LOWER if points <= -2 else NOT_SHOWN
        several = num_seeds > 1
        lines.append({
            "study": card.name, "variant": row.variant, "label": row.label, "system": row.system,
            "baseline_variant": base.variant, "suite": index.suite, "protocol": row.protocol,
            "decoding": row.decoding, "dataset": AVERAGE, "num_seeds": num_seeds, "num_sentences": 600,
            "difference_points": points, "low": points - 1.04, "high": points + 1.04,
            "seed_low": points - 2 if several else None, "seed_high": points + 2 if several else None,
            "visible_points": 2.54 if several else 1.46, "num_compared": 2,
            "p_value": 0.01, "p_adjusted": 0.0004 if shown != NOT_SHOWN else 0.212, "verdict": shown,
            "reach": {0: NO_SEED, 1: ONE_SEED}.get(num_seeds, ""),
        })  # fmt: skip
    return pd.DataFrame(lines)


def language_cells() -> pd.DataFrame:
    """Eleven languages, two variants, one seed."""
    shared: dict[str, Any] = {"datasets": tuple(LANGUAGE_TITLES), "study_name": "languages"}
    return pd.DataFrame(
        rows_of("baseline", 20.0, label="Trained on English", **shared)
        + rows_of("mixture=multi", 26.0, label="Multilingual encoder", **shared)
    )


def language_card() -> StudyCard:
    """The card of the multilingual study."""
    return study("languages", title="Zero-shot across languages", layout="datasets", suite="multilingual")


def published_rows(datasets: Sequence[str] = OOD) -> pd.DataFrame:
    """Two rows of a printed Table 1 with parameters, and a Table 5 of precision, recall and F1."""
    records: list[tuple[Any, ...]] = []
    for row, parameters, first in (("USM", 3e8, 37.7), ("GLiNER-L", 3e8, 57.2)):
        records.append(("1", row, "Params", "", "parameters", parameters))
        records += [
            ("1", row, OOD_TITLES.get(name, name), name, "f1_pct", first + i) for i, name in enumerate(datasets)
        ]
        records.append(("1", row, "Average", "average", "f1_pct", first + 0.89))
    for row, values in (("0 %", (49.3, 58.1, 53.3)), ("50 %", (62.3, 59.7, 60.9))):
        for metric, value in zip(("precision_pct", "recall_pct", "f1_pct"), values, strict=True):
            records.append(("5", row, metric, "average", metric, value))
    frame = pd.DataFrame(records, columns=["table", "row", "column", "dataset", "metric", "value"])
    return frame.assign(
        file="gliner_2311.08526",
        paper="gliner_2311.08526",
        version="v1",
        protocol="gliner_official",
        tolerance=1.0,
        note="",
    )


def verdict_rows() -> pd.DataFrame:
    """One verdict of each kind."""
    records = [
        ("Movie", "mit_movie", 57.2, 57.2, 0.0, "match", "inside the 95 % interval"),
        ("AI", "crossner_ai", 57.2, 58.9, 1.7, "close", "within twice the tolerance"),
        ("Lit", "crossner_literature", 64.4, 50.0, -14.4, "off", "outside twice the tolerance"),
        ("Average", "average", 60.9, None, None, "n/a", "scale demo is not the paper's"),
    ]
    columns = ["column", "dataset", "published", "ours", "delta", "verdict", "reason"]
    frame = pd.DataFrame(records, columns=columns)
    return frame.assign(
        paper="gliner_2311.08526",
        table="1",
        row="GLiNER-L",
        metric="f1_pct",
        low=55.0,
        high=59.4,
        tolerance=1.0,
        protocol="gliner_official",
    )
