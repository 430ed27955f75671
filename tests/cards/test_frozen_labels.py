"""What the tags of every evaluated dataset mean and what is asked for, as a digest of each card.

A swap of two tags or a lost label moves scores without an error. A digest does not say that a table is right, only that
it is the one of the results so far; the last two tests ask whether cards agree. Cards that are not listed are free.
"""

import hashlib
import json
import re
from collections import defaultdict
from pathlib import Path

import pytest

from benchmarks.catalog.cards import DatasetCard
from benchmarks.catalog.registry import Registry, load_registry

ROOT = Path(__file__).resolve().parents[2]
MEANING = ("labels", "rename", "drop_types", "else_label", "gold_repairs", "reader", "options", "generator")
DIGESTS = {
    "ace05": "8a384eb4", "anatem": "18a83b89", "anatem_train": "18a83b89", "author_crossner_ai": "be7f4563",
    "author_crossner_literature": "a4388871", "author_crossner_music": "8aeabc6f",
    "author_crossner_politics": "aaa63b80", "author_crossner_science": "ce0951d2", "author_mit_movie": "24d2d8f1",
    "author_mit_restaurant": "7f2a5afc", "bc2gm": "17730c9f", "bc2gm_train": "17730c9f", "bc4chemd": "0cdb96f9",
    "bc5cdr": "94f483f6", "bc5cdr_train": "94f483f6", "btc": "e49fb670", "conll03": "536df769",
    "crossner_ai": "e347bd4f", "crossner_literature": "230cc01e", "crossner_music": "37f80b92",
    "crossner_politics": "4ef1454b", "crossner_science": "4bf86124", "demo_ml_bn": "eb95416d",
    "demo_ml_de": "eb95416d", "demo_ml_en": "eb95416d", "demo_ml_es": "eb95416d", "demo_ml_fa": "eb95416d",
    "demo_ml_hi": "eb95416d", "demo_ml_ko": "eb95416d", "demo_ml_nl": "eb95416d", "demo_ml_ru": "eb95416d",
    "demo_ml_tr": "eb95416d", "demo_ml_zh": "eb95416d", "demo_ood_astronomy": "7ffcfde7",
    "demo_ood_cooking": "768703d6", "demo_ood_medicine": "6c157dff", "demo_ood_mythology": "ecb8b4a1",
    "demo_ood_sport": "e6ad4073", "demo_train": "1fc8201a", "fabner": "03957081", "findvehicle": "13a9383f",
    "genia_nested": "c0c075e2", "genia_nested_train": "c0c075e2", "harveyner": "4f236588",
    "masakhaner_amh": "d3191d07", "masakhaner_hau": "d3191d07", "masakhaner_ibo": "d3191d07",
    "masakhaner_kin": "d3191d07", "masakhaner_lug": "d3191d07", "masakhaner_luo": "d3191d07",
    "masakhaner_pcm": "d3191d07", "masakhaner_swa": "d3191d07", "masakhaner_wol": "d3191d07",
    "masakhaner_yor": "d3191d07", "mit_movie": "ac852373", "mit_restaurant": "8cf3a892", "multiconer_bn": "81815d66",
    "multiconer_de": "81815d66", "multiconer_en": "81815d66", "multiconer_es": "81815d66",
    "multiconer_fa": "81815d66", "multiconer_hi": "81815d66", "multiconer_ko": "81815d66",
    "multiconer_nl": "81815d66", "multiconer_ru": "81815d66", "multiconer_tr": "81815d66",
    "multiconer_v2_en_dev": "853a66d0", "multiconer_zh": "81815d66", "multinerd": "cba9ba8d", "ncbi": "7ce2a3e9",
    "ncbi_train": "7ce2a3e9", "ontonotes": "2ba48a66", "pile_ner_dev": "c4b04189", "polyglotner": "8a1323d1",
    "tweetner7": "5a591e0c", "wikiann_en": "8d353032", "wikiann_en_train": "8d353032", "wikineural_en": "4f8f3412",
    "wikineural_en_train": "4f8f3412",
}  # fmt: skip


def digest(card: DatasetCard) -> str:
    """8 hex digits over what a card makes of the raw tags; the order of the labels counts, it is that of the prompt."""
    content = card.model_dump(mode="json", include=set(MEANING))
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry(ROOT)


def test_every_dataset_that_a_scale_evaluates_is_listed(registry: Registry) -> None:
    suites = {suite for scale in registry.scales.values() for suite in scale.suites.values()}
    tested = {name for suite in suites for name in registry.suite_datasets(suite)}
    trained = {f"{name}_train" for name in tested} & set(registry.datasets)
    assert sorted((tested | trained) - set(DIGESTS)) == []


@pytest.mark.parametrize("name", sorted(DIGESTS))
def test_labels_and_tags_are_what_they_were(registry: Registry, name: str) -> None:
    found = digest(registry.datasets[name])
    assert found == DIGESTS[name], (
        f"benchmarks/datasets/{name}.yaml asks or reads other types than before, so old scores are void. If that is "
        f"meant (the usual way is a new card with `supersedes`), look at results/data/{name}/card.json, "
        f'then write "{name}": "{found}" into DIGESTS'
    )


def test_a_tag_means_the_same_in_every_corpus(registry: Registry) -> None:
    """Independent of the digests: LOC is a location everywhere; only MISC has two readings."""
    meanings: dict[str, set[str]] = defaultdict(set)
    for card in registry.datasets.values():
        for tag, type_name in card.rename.items():
            meanings[tag.upper()].add(type_name)
    assert {tag: names for tag, names in meanings.items() if len(names) > 1} == {"MISC": {"else", "miscellaneous"}}
    assert {meanings[tag].pop() for tag in ("PER", "LOC", "ORG")} == {"person", "location", "organization"}


def test_languages_of_one_corpus_and_both_halves_of_a_set_read_tags_alike(registry: Registry) -> None:
    families: dict[str, set[str]] = defaultdict(set)
    for name, card in registry.datasets.items():
        language = rf"_{card.language}$|_[a-z]{{3}}$" if name.startswith(("masakhaner_", "multiconer_")) else "_train$"
        kept = card.model_dump(mode="json", include=set(MEANING) - {"options"})
        families[re.sub(language, "", name)].add(json.dumps(kept, sort_keys=True))
    assert {family: len(found) for family, found in families.items() if len(found) > 1} == {}
    assert {"masakhaner", "multiconer", "anatem"} <= set(families)
