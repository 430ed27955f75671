# What is not a rule: the plan of this invocation, wildcard constraints, input functions.

import os
import re
from pathlib import Path

from snakemake.exceptions import WorkflowError

ROOT = Path(workflow.basedir)
# Rule scripts import the project's packages, also inside a conda environment that does not know this folder.
os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
# Parallel jobs with spinning OpenMP threads are several times slower than one thread per job.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from benchmarks.catalog.code import files_digest, source_digest
from benchmarks.catalog.devices import count_gpus
from benchmarks.catalog.workspace import open_workspace
from gliner_core.errors import InputError

try:
    SPACE = open_workspace(ROOT, config)
except InputError as error:
    raise WorkflowError(str(error)) from None

GRID, CARDS = SPACE.grid, SPACE.registry
SCALE = CARDS.scales[SPACE.settings.scale]
HOME, RESULTS = str(SPACE.home), str(SPACE.results)
# Snakemake caps nothing locally without a global limit: never more GPU jobs at once than GPUs.
workflow.global_resources.setdefault("gpu", SPACE.settings.gpus or max(count_gpus(), 1))


def either(names):
    """A wildcard constraint that accepts exactly these names."""
    return "|".join(re.escape(name) for name in sorted(set(names))) or "(?!)"


wildcard_constraints:
    dataset=either(CARDS.datasets),
    mixture=either(CARDS.mixtures),
    run=either(GRID.runs),
    owner=either(GRID.owners()),
    decoding=either(GRID.decodings),
    protocol=either(CARDS.protocols),
    suite=either(CARDS.suites),
    study=either(GRID.studies),


def code(*modules):
    """Digest of the modules' import closure: an edit reruns what depends on the edited file, and nothing else."""
    return source_digest(ROOT, *modules)


def card_of(kind):
    """The content of a card as a rule parameter, titles and notes left out: they change no result."""

    def content(wildcards):
        return getattr(CARDS, f"{kind}s")[wildcards[kind]].model_dump(mode="json", exclude={"title", "notes"})

    return content


def datasets_of(suites):
    """Dataset names of some suites, each once."""
    return list(dict.fromkeys(name for suite in suites for name in CARDS.suite_datasets(suite)))


def used_suites(studies=GRID.studies):
    """Suites that some studies evaluate on."""
    return sorted({row.suite for row in GRID.rows if row.study in studies})


def suite_data(wildcards):
    """Prepared folders of every dataset that is evaluated."""
    return [SPACE.data(name) for name in datasets_of(used_suites())]


def score_files(owner):
    """Every score file of one run or system."""
    return [
        f"{HOME}/{cell.folder}/scores.{protocol}.json"
        for cell, protocols in GRID.owner_cells(owner)
        for protocol in protocols
    ]


def gpu_count(wildcards):
    """GPUs a job asks for."""
    return 1 if SPACE.device == "cuda" else 0


def mixture_parts(mixture):
    """Datasets a mixture reads."""
    card = CARDS.mixtures[mixture]
    return list(dict.fromkeys(part.dataset for part in [*card.parts, *([card.dev] if card.dev else [])]))


def lexicon_digest(dataset):
    """Digest of the word lists behind a generated dataset; empty for real data."""
    if CARDS.datasets[dataset].generator is None:
        return ""
    return files_digest(ROOT, sorted((ROOT / "benchmarks" / "corpora" / "demo_data").glob("*.yaml")))


def study_card(wildcards):
    """The whole card of a study: its table and page print titles and claims."""
    return CARDS.studies[wildcards.study].model_dump(mode="json")


def published_digest(wildcards):
    """Digest of the published numbers."""
    return files_digest(ROOT, sorted((ROOT / "benchmarks" / "published").glob("*.csv")))
