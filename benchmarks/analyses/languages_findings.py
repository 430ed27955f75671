"""Sentences about languages, backbones and pretraining, each with the intervals that it rests on.

A contrast between groups of languages is called shown only where the interval over sentences, the interval over seeds
(if there are several) and the permutation of languages, corrected for all contrasts of the page, agree: the first two
know nothing of the choice of languages. The verdicts are those of the rows (`languages_verdicts.py`).
"""

from collections.abc import Iterator, Mapping

import pandas as pd

from benchmarks.analyses.languages_statistics import NEITHER, ONLY_OWN, ONLY_REFERENCE
from benchmarks.analyses.languages_verdicts import BOUNDS, TOO_FEW
from benchmarks.analyses.showing import interval_words
from benchmarks.reporting.difference_text import p_text
from benchmarks.reporting.missing import is_missing
from benchmarks.scoring.judging import ALPHA, HIGHER, LOWER


def findings_of(by_kind: Mapping[str, pd.DataFrame], contrasts: pd.DataFrame) -> Iterator[str]:
    """All sentences: means, contrasts, correlations, and last what the gains say about pretraining on a language."""
    yield from _means(by_kind["mean"])
    yield from _contrast_findings(by_kind["language"], contrasts)
    yield from _correlations(by_kind["correlation"])
    yield from _answers(contrasts)


def what_of(row: pd.Series) -> str:
    """What a contrast is of: the F1 of a backbone, or the difference of two."""
    return f"F1 of {row['backbone']}" if row["kind"] == "contrast" else f"{row['backbone']} minus {row['reference']}"


def named(group: str, row: pd.Series) -> str:
    """A group of languages with the names of the backbones in it."""
    names = {ONLY_OWN: row["backbone"], ONLY_REFERENCE: row["reference"]}
    return f"read by {names[group]} only" if group in names else group


def deals_of(row: pd.Series) -> str:
    """How many of all ways to deal the languages out differ at least as much."""
    return f"{row['p_languages'] * row['num_splits']:.0f} of {row['num_splits']:.0f}"


def _means(means: pd.DataFrame) -> Iterator[str]:
    for _, row in means[means["dimension"] == "all"].iterrows():
        yield (
            f"{row['backbone']}: mean F1 {row['value']:.1f} over {row['num_languages']:.0f} languages "
            f"({interval_words(row)})."
        )


def _contrast_findings(languages: pd.DataFrame, contrasts: pd.DataFrame) -> Iterator[str]:
    with_contrast = set(contrasts.loc[contrasts["kind"] == "contrast", "variant"])
    for variant, frame in languages.groupby("variant", sort=False):
        if variant not in with_contrast:
            share = "all" if (frame["in_pretraining"] == "yes").all() else "none"
            yield (
                f"{frame['backbone'].iloc[0]}: {share} of the {len(frame)} languages are in its pretraining, so its "
                "own scores cannot tell the two apart."
            )
    for _, row in contrasts.iterrows():
        yield f"{_contrast_words(row)}: {_verdict(row)}."
        if row["kind"] == "contrast" and row["dimension"] == "all":
            yield _script_words(languages[languages["variant"] == row["variant"]])


def _contrast_words(row: pd.Series) -> str:
    sides = f"languages {named(row['group'], row)} ({row['num_languages']:.0f}) against {named(row['other'], row)}"
    what = what_of(row) if row["kind"] == "contrast" else f"Gain of {row['backbone']} over {row['reference']}"
    what += "" if row["dimension"] == "all" else f", {row['dimension']} script alone"
    return f"{what}, {sides} ({row['num_others']:.0f}): {row['value']:+.1f} points ({interval_words(row, '+')})"


def _verdict(row: pd.Series) -> str:
    """The sentence that all three uncertainties allow."""
    if row["verdict"] == TOO_FEW:
        alone = "" if row["least_p"] >= ALPHA else ", too much beside the other contrasts"
        return f"{TOO_FEW} of such languages in general: no result could have p below {row['least_p']:.3f}{alone}"
    deals = f"{deals_of(row)} deals of the languages differ at least as much, {_p_words(row, 'contrasts')}"
    if row["verdict"] in (HIGHER, LOWER):
        return f"difference shown ({deals})"
    if not _is_clear(row):
        seeds = "" if is_missing(row["seed_low"]) else " and seeds"
        return f"no difference could be shown on these sentences{seeds} ({deals})"
    return f"a difference of these languages, but not more than their choice can make ({deals})"


def _p_words(row: pd.Series, what: str) -> str:
    text = f"p {p_text(row, 'p_languages')}"
    return text if row["num_compared"] == 1 else f"{text}, adjusted for {row['num_compared']:.0f} {what} {p_text(row)}"


def _is_clear(row: pd.Series) -> bool:
    """Whether zero lies outside the interval over sentences and, with several seeds, outside the one over seeds."""
    return all(row[low] > 0 or row[high] < 0 for low, high in BOUNDS if not is_missing(row[low]))


def _answers(contrasts: pd.DataFrame) -> Iterator[str]:
    """One sentence a backbone on what its gain on the languages that it alone has read allows to say."""
    gains = contrasts[(contrasts["kind"] == "gain contrast") & (contrasts["other"] == NEITHER)]
    for _, frame in gains.groupby("variant", sort=False):
        whole = frame.iloc[0]
        told = {
            HIGHER: "it gains more on the languages that it has read",
            LOWER: "it gains less on the languages that it has read",
        }.get(whole["verdict"], "these data do not tell")
        if whole["verdict"] in (HIGHER, LOWER):
            told += _within_scripts(whole, frame.iloc[1:])
        num = whole["num_languages"] + whole["num_others"]
        yield (
            f"Does it matter which languages {whole['backbone']} has read? {told[:1].upper()}{told[1:]} ({num:.0f} "
            f"languages, {whole['num_seeds']:.0f} trained model{'s' if whole['num_seeds'] > 1 else ''} a backbone)."
        )


def _within_scripts(whole: pd.Series, scripts: pd.DataFrame) -> str:
    """Whether the scripts of the languages explain a difference as well; `scripts` are its contrasts within one."""
    if whole["num_scripts"] == 1:
        return ", and all of them are written in one script"
    if scripts.empty:
        return ", but no script has languages on both sides, so script explains it as well"
    same = scripts.loc[scripts["verdict"] == whole["verdict"], "dimension"]
    against = scripts.loc[scripts["verdict"] == {HIGHER: LOWER, LOWER: HIGHER}[whole["verdict"]], "dimension"]
    parts = [f", within {' and '.join(same)} script alone too"] if len(same) else []
    parts += [f", but within {' and '.join(against)} script alone it is the other way round"] if len(against) else []
    return "".join(parts) or ", but this is not shown within one script, so script may explain it as well"


def _script_words(languages: pd.DataFrame) -> str:
    """How script and pretraining hang together among the languages of one backbone."""
    sides = {
        flag: ", ".join(f"{script} {len(frame)}" for script, frame in part.groupby("script", sort=False))
        for flag, part in languages.groupby("in_pretraining")
    }
    same = len({frozenset(part["script"]) for _, part in languages.groupby("in_pretraining")}) == 1
    told = "both groups use the same scripts" if same else "script and pretraining are not apart in this contrast"
    return f"Scripts of the languages in pretraining: {sides['yes']}; of the others: {sides['no']}; {told}."


def _correlations(correlations: pd.DataFrame) -> Iterator[str]:
    for _, row in correlations.iterrows():
        what = f"{row['backbone']}: F1 and sub-words per word over {row['num_languages']:.0f} languages"
        if is_missing(row["value"]):
            yield f"{what}: no rank correlation, one of the two is the same in all of them."
            continue
        if row["verdict"] == TOO_FEW:
            yield f"{what}: {TOO_FEW} of a rank correlation."
            continue
        told = "a relation is shown" if row["verdict"] in (HIGHER, LOWER) else "no relation is shown"
        yield (
            f"{what}: rank correlation {row['value']:+.2f} (95 % over languages {row['low']:+.2f} to "
            f"{row['high']:+.2f}; over their orders {_p_words(row, 'correlations')}), {told}."
        )
