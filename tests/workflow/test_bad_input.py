"""Wrong input through the commands a user calls: one sentence with file and line or key, and nothing written.

The faulty corpora are cards with raw files in a mirror, all prepared in one invocation (`--keep-going`).
"""

import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from checkout import Checkout, Outcome
from tiny_demo import shrink

CARDS = "benchmarks/datasets/demo_ood_sport.yaml"


class Fault(NamedTuple):
    """A broken dataset: its raw bytes (None: the mirror lacks them), card keys, and what the sentence must name."""

    raw: bytes | None
    card: dict[str, Any]
    words: tuple[str, ...]
    tampered: bool = False


def line(spans: list[list[Any]]) -> bytes:
    return (json.dumps({"id": "a1", "words": ["Ada", "wrote"], "spans": spans}) + "\n").encode()


GOOD = line([[0, 0, "person"]])
OWN = {"reader": "jsonl"}
COLUMNS = {"reader": "conll", "options": {"token": 0, "tag": 1, "separator": "space"}}
FAULTS = {
    "no_file": Fault(None, OWN, ("no_file.raw: neither in the cache", "set `mirror:`")),
    "no_label": Fault(
        GOOD, OWN | {"labels": ["person", "ship"]}, ("dataset no_label: `labels` names 'ship'", "remove")
    ),
    "no_rename": Fault(GOOD, OWN | {"rename": {"PER": "person"}}, ("dataset no_rename: `rename` names the tag 'PER'",)),
    "outside": Fault(
        line([[1, 2, "person"]]), OWN, (":1: ", "span [1, 2, 'person']", "2 words", "correct the offsets")
    ),
    "no_json": Fault(GOOD + b'{"id": \n', OWN, (":2: not valid JSON", "repair the line")),
    "wrong_hash": Fault(line([]), OWN, ("wrong_hash.raw", " is pinned", "fetch it again"), tampered=True),
    "latin": Fault("Zo\u00eb B-person\n".encode("latin-1"), COLUMNS, ("latin.raw", "not utf-8 at byte 2", "`options:")),
    "empty": Fault(b"\n", COLUMNS, ("dataset empty: split `test` holds no sentence", "check its files")),
}


def sentence(outcome: Outcome, *words: str) -> str:
    """The one printed line that holds all the words."""
    assert outcome.code != 0
    found = {text for text in outcome.text.splitlines() if all(word in text for word in words)}
    assert len(found) == 1, outcome.text[-3000:]
    return found.pop()


def drop(checkout: Checkout, mirror: Path, name: str, fault: Fault) -> str:
    """Writes the card and its raw file; returns the manifest line."""
    digest = hashlib.sha256(fault.raw or b"?").hexdigest()
    source = {"repo": "someone/corpora", "commit": "0" * 40, "path": f"{name}.raw", "sha256": digest}
    facts = {"domain": "test", "licence": "none", "sources": {"test": [source]}}
    checkout.card("datasets", name, **facts | fault.card)
    if fault.raw is None:
        return ""
    (mirror / f"{name}.raw").write_bytes(fault.raw + b" " * fault.tampered)
    return f"{name}.raw\t{digest}\tsomeone/corpora\t{'0' * 40}\t{name}.raw\n"


class Refusal(NamedTuple):
    checkout: Checkout
    outcome: Outcome


@pytest.fixture(scope="module")
def refusal(pristine: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Refusal:
    """All faulty corpora and a training that diverges, in one run of the workflow."""
    folder = tmp_path_factory.mktemp("faults")
    checkout = pristine.copy(folder / "copy")
    shrink(checkout)
    mirror = folder / "mirror"
    mirror.mkdir()
    rows = [drop(checkout, mirror, name, fault) for name, fault in FAULTS.items()]
    (mirror / "manifest.tsv").write_text("file\tsha256_raw\trepo\tcommit\tpath\n" + "".join(rows), encoding="utf-8")
    hot = {"optim.lr_encoder": 1e30, "optim.lr_others": 1e30, "optim.warmup_ratio": 0.0, "optim.steps": 5}
    checkout.configure(mirror=str(mirror), cache=str(folder / "cache"), studies=["multilingual"], overrides=hot)
    (run,) = checkout.plan()["train"]
    targets = [f"results/data/{name}" for name in FAULTS]
    return Refusal(checkout, checkout.snakemake("--keep-going", *targets, f"results/demo/runs/{run}/receipt.json"))


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_corpus_stops_with_one_sentence_and_leaves_nothing(refusal: Refusal, name: str) -> None:
    text = sentence(refusal.outcome, "error: ", *FAULTS[name].words)
    assert text.startswith("error: ") and not text.endswith(".")
    assert not refusal.checkout.path(f"results/data/{name}").exists()


def test_every_fault_printed_one_sentence(refusal: Refusal) -> None:
    assert len(refusal.outcome.lines("error: ")) == len(FAULTS) + 1


def test_a_loss_that_is_not_a_number_stops_the_training_and_leaves_no_model(refusal: Refusal) -> None:
    sentence(refusal.outcome, "error: ", "the loss is ", " at step ", "lower `optim.lr_encoder`")
    runs = refusal.checkout.path("results/demo/runs")
    assert [path for path in runs.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"scale": "nope"}, ("workflow/config.yaml: `scale` 'nope' is unknown", "demo, paper, pilot")),
        ({"studies": ["nope"]}, ("workflow/config.yaml: `studies` names 'nope'", "main_table")),
        ({"seeds": ["x"]}, ("workflow/config.yaml: `seeds.0`", "integer", "'x'")),
        ({"scales": "demo"}, ("workflow/config.yaml: unknown key `scales`", "remove it or use one of")),
        ({"mirror": "/nowhere"}, ("workflow/config.yaml: `mirror` '/nowhere' is not a folder", "correct the path")),
        ({"overrides": {"optim.step": 1}}, ("`optim.step` is no knob", "correct the key")),
        ({"overrides": {"optim.steps": "many"}}, ("`optim.steps` is 'many'", "must be int")),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_wrong_configuration_stops_at_once(
    pristine: Checkout, config: dict[str, Any], words: tuple[str, ...]
) -> None:
    sentence(pristine.snakemake("--dry-run", **config), *words)


def twin(draft: Checkout) -> None:
    text = draft.path("benchmarks/protocols/no-else.yaml").read_text(encoding="utf-8")
    draft.write("benchmarks/protocols/zz.yaml", text)


def add_line(name: str, text: str) -> Any:
    def change(draft: Checkout) -> None:
        draft.write(name, draft.path(name).read_text(encoding="utf-8").rstrip("\n") + f"\n{text}\n")

    return change


BROKEN = {
    "unknown key": (add_line(CARDS, "colour: red"), ("demo_ood_sport.yaml: unknown key `colour`", "remove it")),
    "key twice": (add_line(CARDS, "language: en"), ("demo_ood_sport.yaml:", "key `language` is given twice")),
    "broken YAML": (add_line(CARDS, "tags: ["), ("demo_ood_sport.yaml:", "correct the YAML")),
    "duplicate name": (twin, ("protocols/zz.yaml: duplicate name 'no-else'", "rename the card")),
    "not UTF-8": (
        lambda draft: draft.path(CARDS).write_bytes(b"title: Zo\xeb\n"),
        ("demo_ood_sport.yaml: not UTF-8 at byte 9", "convert the file"),
    ),
    "missing key": (
        lambda draft: draft.card("suites", "mine", closed=True, datasets=["demo_ood_sport"]),
        ("suites/mine.yaml: key `protocol` is missing", "add it"),
    ),
    "no such dataset": (
        lambda draft: draft.card("suites", "mine", closed=True, datasets=["absent"], protocol="no-else"),
        ("suites/mine.yaml: `datasets` names 'absent'", "correct the name or add a card"),
    ),
    "empty suite": (
        lambda draft: draft.card("suites", "mine", closed=False, tag="nobody", protocol="no-else"),
        ("suites/mine.yaml: `tag` 'nobody' stands on no dataset card", "correct it"),
    ),
    "no labels": (
        lambda draft: draft.card("suites", "mine", closed=True, datasets=["gum"], protocol="no-else"),
        ("suites/mine.yaml: the suite holds 'gum'", "no `labels`", "take it out"),
    ),
    "missing file": (
        lambda draft: draft.path("benchmarks/baseline.yaml").unlink(),
        ("benchmarks/baseline.yaml: no such file", "check the path"),
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_card_stops_every_command(draft: Checkout, name: str) -> None:
    change, words = BROKEN[name]
    change(draft)
    text = sentence(draft.run("benchmarks", "list"), "error: ", *words)
    assert text.startswith("error: ")


def test_snakemake_says_the_same_sentence_as_the_command_line(draft: Checkout) -> None:
    change, words = BROKEN["unknown key"]
    change(draft)
    assert sentence(draft.snakemake("--dry-run"), *words)
    assert not draft.path("results/demo").exists()


def test_answers_that_a_package_decoded_are_refused_by_the_plan_and_the_workflow(draft: Checkout) -> None:
    draft.card("systems", "peer", kind="gliner_package", hub="a/b", revision="r")
    study = {
        "suite": "ood",
        "protocols": ["gliner-nested"],
        "systems": ["peer"],
        "layout": "datasets",
        "figure": "bars",
    }
    draft.card("studies", "peers", question="?", claim="-", **study)
    words = "studies/peers.yaml: the system 'peer' may be decoded by its own package", "overlap: nested"
    sentence(draft.run("benchmarks", "plan", "--short", "--config", "studies=[peers]"), "error: ", *words)
    sentence(draft.snakemake("--dry-run", studies=["peers"]), *words)


def test_a_run_of_more_gpus_than_may_be_in_use_is_refused(pristine: Checkout) -> None:
    """The cap of a profile or of the command line counts; Snakemake alone would wait for ever or say nothing."""
    refused = pristine.snakemake("--dry-run", "--resources", "gpu=1", gpus_per_run=2, device="cuda")
    sentence(refused, "`gpus_per_run` is 2, but at most 1 GPUs", "lower it, or raise")
    quiet = ("--dry-run", "--quiet", "all", "--resources")
    assert pristine.snakemake(*quiet, "gpu=2", gpus_per_run=2, device="cuda").code == 0
    assert pristine.snakemake(*quiet, "gpu=0", gpus_per_run=2, device="cpu").code == 0  # a plain CPU uses none


def test_headline_before_any_run_says_what_to_run(pristine: Checkout) -> None:
    sentence(pristine.run("benchmarks", "headline"), "error: ", "main_table/table.md: not there yet; run `make demo`")
