"""Parts and hygiene rules to a training set: `train.jsonl`, `dev.jsonl` and `card.json` with what was kept and why.

Rows that equal a test sentence of a suite, share an n-gram with one or carry an excluded type are left out whole: a
removed span alone would teach the model that the entity is none.

`max_per_part` takes a random sample of each part that depends on the part alone: of two mixtures that differ in size
only, the smaller one is contained in the larger.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.catalog.cards import MixtureCard, MixturePart
from benchmarks.corpora.folders import atomic_folder
from benchmarks.corpora.overlap import Index, fold, index
from benchmarks.corpora.shares import Quota, share_out
from benchmarks.corpora.statistics import describe
from benchmarks.corpora.windows import cut
from gliner_core.errors import InputError
from gliner_core.examples import Example, read_jsonl, write_jsonl
from gliner_core.files import file_digest, read_json, write_json
from gliner_core.seeding import generator


@dataclass(slots=True, kw_only=True)
class _Sieve:
    """Counts and windows of one part while it is filtered."""

    read: int
    types: frozenset[str]
    windows: int = 0
    lost_spans: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    kept: list[Example] = field(default_factory=list)


def part_key(part: MixturePart) -> str:
    """How `part_files` of `prepare_mixture` names a part: "dataset/split"."""
    return f"{part.dataset}/{part.split}"


def prepare_mixture(
    card: MixtureCard, part_files: Mapping[str, Path], suites: Mapping[str, Sequence[Path]], out: Path
) -> None:
    """Writes the mixture folder; `part_files` maps `part_key` to JSONL, `suites` a suite to its test JSONL files."""
    _check_card(card, part_files, suites)
    test = index(_test_examples(card, suites), card.overlap_ngram)
    parts = {part_key(part): _sieve(card, part, part_files, test, frozenset()) for part in card.parts}
    _check_excluded(card, parts)
    quotas = _quotas(card, parts)
    train = _draw(card, parts, quotas)
    dev = _dev(card, part_files, test, train)
    with atomic_folder(Path(out)) as folder:
        write_jsonl(folder / "train.jsonl", train)
        record = {"name": card.name, "title": card.title, "parts": _part_records(parts, quotas)}
        record["train"] = describe(train) | {"sha256": file_digest(folder / "train.jsonl")}
        if dev is not None:
            write_jsonl(folder / "dev.jsonl", dev.kept)
            record["dev"] = _counts(dev) | describe(dev.kept) | {"sha256": file_digest(folder / "dev.jsonl")}
        write_json(folder / "card.json", record)


def _check_card(card: MixtureCard, part_files: Mapping[str, Path], suites: Mapping[str, Sequence[Path]]) -> None:
    names = [part_key(part) for part in card.parts]
    if len(set(names)) != len(names):
        raise InputError(f"mixture {card.name}: `parts` names {Counter(names).most_common(1)[0][0]} twice; join them")
    for part in (*card.parts, *([card.dev] if card.dev else [])):
        if part_key(part) not in part_files:
            raise InputError(f"mixture {card.name}: no file was given for part {part_key(part)}; prepare it first")
    if absent := [name for name in card.disjoint_from if name not in suites]:
        raise InputError(f"mixture {card.name}: no files were given for suite {absent[0]}; prepare its datasets first")
    if card.num_examples is None and any(part.weight != 1 for part in card.parts):
        raise InputError(f"mixture {card.name}: `weight` needs `num_examples`; give it or remove the weights")
    if card.num_examples is not None and card.max_per_part is not None:
        raise InputError(f"mixture {card.name}: `num_examples` and `max_per_part` exclude each other; remove one")


def _test_examples(card: MixtureCard, suites: Mapping[str, Sequence[Path]]) -> list[Example]:
    return [example for name in card.disjoint_from for path in suites[name] for example in read_jsonl(path)]


def _read_part(part: MixturePart, part_files: Mapping[str, Path]) -> list[Example]:
    key = part_key(part)
    prefix = f"{key}/"
    return [replace(example, id=prefix + example.id) for example in read_jsonl(part_files[key])]


def _labels(card: MixtureCard, part: MixturePart, part_files: Mapping[str, Path]) -> tuple[str, ...]:
    """What the dataset of a part is asked for when it is tested."""
    labels = read_json(part_files[part_key(part)].parent / "card.json")["labels"]
    if not labels:
        raise InputError(
            f"mixture {card.name}: `ask_all_labels` needs `labels` in benchmarks/datasets/{part.dataset}.yaml; add them"
        )
    return tuple(labels)


def _check_excluded(card: MixtureCard, parts: Mapping[str, _Sieve]) -> None:
    if absent := sorted(set(card.exclude_types).difference(*(sieve.types for sieve in parts.values()))):
        raise InputError(
            f"mixture {card.name}: `exclude_types` names {absent[0]!r}, which no part has; remove or correct it"
        )


def _sieve(
    card: MixtureCard,
    part: MixturePart,
    part_files: Mapping[str, Path],
    test: Index,
    seen: frozenset[tuple[str, ...]],
) -> _Sieve:
    """Applies the rules to whole rows, then cuts, then applies to the windows those that depend on length."""
    rows = _read_part(part, part_files)
    labels = _labels(card, part, part_files) if card.ask_all_labels else ()
    sieve = _Sieve(read=len(rows), types=frozenset(kind for row in rows for kind in row.types()))
    excluded = frozenset(card.exclude_types)
    for row in rows:
        if rule := _row_fault(row, test, excluded):
            sieve.dropped[rule] += 1
            continue
        windows = cut(row, card.window_words)
        sieve.windows += len(windows.examples)
        sieve.lost_spans += windows.lost_spans
        for window in windows.examples:
            if rule := _window_fault(window, test, seen, card.min_words):
                sieve.dropped[rule] += 1
            else:
                absent = tuple(label for label in labels if label not in window.types())
                sieve.kept.append(replace(window, negatives=absent) if labels else window)
    return sieve


def _row_fault(row: Example, test: Index, excluded: frozenset[str]) -> str | None:
    folded = fold(row.words)
    if test.holds(folded):
        return "rows_equal_to_test"
    if test.shares(folded):
        return "rows_sharing_ngram_with_test"
    if not excluded.isdisjoint(row.types()):
        return "rows_with_excluded_type"
    return None


def _window_fault(window: Example, test: Index, seen: frozenset[tuple[str, ...]], min_words: int) -> str | None:
    if len(window.words) < min_words:
        return "windows_too_short"
    folded = fold(window.words)
    if test.holds(folded):
        return "windows_equal_to_test"
    return "windows_equal_to_train" if folded in seen else None


def _quotas(card: MixtureCard, parts: Mapping[str, _Sieve]) -> dict[str, Quota]:
    sizes = {key: len(sieve.kept) for key, sieve in parts.items()}
    if empty := [key for key, size in sizes.items() if not size]:
        raise InputError(f"mixture {card.name}: part {empty[0]} has no window left after hygiene; remove the part")
    if card.num_examples is None:
        return {key: Quota(drawn=min(size, card.max_per_part or size), repeated=0) for key, size in sizes.items()}
    return share_out(card.num_examples, sizes, {part_key(part): part.weight for part in card.parts})


def _draw(card: MixtureCard, parts: Mapping[str, _Sieve], quotas: Mapping[str, Quota]) -> list[Example]:
    if card.num_examples is None:
        return [example for key, sieve in parts.items() for example in _sampled(card, key, sieve.kept)]
    drawn = []
    for key, sieve in parts.items():
        pool = list(sieve.kept)
        Random(f"{card.name}/{key}").shuffle(pool)
        for position in range(quotas[key].drawn):
            turn, at = divmod(position, len(pool))
            drawn.append(replace(pool[at], id=f"{pool[at].id}~{turn + 1}") if turn else pool[at])
    Random(f"{card.name}/order").shuffle(drawn)
    return drawn


def _sampled(card: MixtureCard, key: str, examples: list[Example]) -> list[Example]:
    """At most `max_per_part` examples: the first of an order that neither the card nor the number changes."""
    if card.max_per_part is None:
        return examples
    order = list(examples)
    generator(0, "sample", key).shuffle(order)
    return order[: card.max_per_part]


def _dev(card: MixtureCard, part_files: Mapping[str, Path], test: Index, train: Sequence[Example]) -> _Sieve | None:
    if card.dev is None:
        return None
    seen = frozenset(fold(example.words) for example in train)
    sieve = _sieve(card, card.dev, part_files, test, seen)
    if not sieve.kept:
        raise InputError(f"mixture {card.name}: `dev` has no window left after hygiene; name another split")
    return sieve


def _counts(sieve: _Sieve) -> dict[str, Any]:
    counts = {"read": sieve.read, "windows": sieve.windows, "lost_spans": sieve.lost_spans}
    return counts | {"dropped": dict(sorted(sieve.dropped.items())), "kept": len(sieve.kept)}


def _part_records(parts: Mapping[str, _Sieve], quotas: Mapping[str, Quota]) -> dict[str, Any]:
    records = {}
    for key, sieve in parts.items():
        spans = [span for example in sieve.kept for span in example.spans]
        records[key] = _counts(sieve) | {
            "drawn": quotas[key].drawn,
            "repeated": quotas[key].repeated,
            "kept_spans": len(spans),
            "kept_types": len({span.type for span in spans}),
        }
    return records
