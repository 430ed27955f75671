# The plan of this invocation, wildcard constraints, input functions.

import gc
import os
import sys
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError

ROOT = Path(workflow.basedir)
# Scripts import the project's packages; Snakemake hands this search path on to them, also into conda environments.
sys.path.insert(0, str(ROOT))
# Parallel jobs with spinning OpenMP threads are several times slower than one thread per job.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# A plan is millions of objects that stay. Python's usual search for cycles among them took a fifth of the time of
# planning 2,000 runs (tests/scale/graph.py).
gc.set_threshold(100_000, 20, 20)

from benchmarks.catalog.adapters import ADAPTERS
from benchmarks.catalog.analyses import ANALYSES
from benchmarks.catalog.code import files_digest, source_digest
from benchmarks.catalog.constraints import either
from benchmarks.catalog.decoding import CARD_WORDING
from benchmarks.catalog.selection import check_systems
from benchmarks.catalog.store_state import lost_store, store_generation
from benchmarks.catalog.trainers import TRAINERS
from benchmarks.catalog.workspace import open_workspace
from benchmarks.pipeline.locking import lock_workflow, runs_jobs
from gliner_core.errors import InputError

try:
    SPACE = open_workspace(ROOT, config)
    check_systems(SPACE.registry, SPACE.grid)
    # Held until the process ends, in whatever way; the jobs of this process, wherever they run, come under it.
    LOCKS = (
        lock_workflow(SPACE.results, Path(".snakemake"))
        if workflow.is_main_process and not workflow.output_settings.dryrun and runs_jobs(sys.argv[1:])
        else []
    )
except InputError as error:
    raise WorkflowError(str(error)) from None

# A password in the address is in the environment now; scripts, job commands and Snakemake's log shall not hold it.
if SPACE.settings.tracking_uri:
    config["tracking_uri"] = SPACE.settings.tracking_uri
    for given in (sys.argv, workflow.config_settings.config_args or []):
        given[:] = [f"tracking_uri={config['tracking_uri']}" if x.startswith("tracking_uri=") else x for x in given]
GRID, CARDS = SPACE.grid, SPACE.registry
SCALE = CARDS.scales[SPACE.settings.scale]
HOME, RESULTS = str(SPACE.home), str(SPACE.results)
# Snakemake caps nothing locally without a global limit. It hands out no devices: each job leases its own (leases.py).
GIVEN = workflow.global_resources.get("gpu")  # by a profile or the command line
CAPS = [cap for cap in (SPACE.settings.gpus, GIVEN.value if GIVEN else None) if cap is not None]
GPU_CAP = min(CAPS) if CAPS else max(len(SPACE.shared_devices), SPACE.settings.gpus_per_run)
workflow.global_resources["gpu"] = GPU_CAP
if (SPACE.device == "cuda" or SPACE.shared_devices) and GPU_CAP < SPACE.settings.gpus_per_run:
    raise WorkflowError(
        f"`gpus_per_run` is {SPACE.settings.gpus_per_run}, but at most {GPU_CAP} GPUs are in use at once; lower it, or "
        "raise `gpus` and `resources: gpu` of the profile"
    )


wildcard_constraints:
    dataset=either(CARDS.datasets),
    mixture=either(CARDS.mixtures),
    wording=either(CARDS.wordings),
    run=either(GRID.runs),
    owner=either(GRID.owners()),
    suite=either(CARDS.suites),
    sample=either(SPACE.samples()),
    study=either(GRID.studies),
    measurement=either(SPACE.measurements),
    analysis=either(ANALYSES),


# Thousands of jobs ask for the same digests, cards and folders: what reads a file or dumps a card does so once a plan.


@cache
def code(*modules):
    """Digest of the modules' import closure: an edit reruns what depends on the edited file, and nothing else."""
    return source_digest(ROOT, *modules)


CONTENTS = {}  # (class, name) -> what `content` gives; jobs share it and must not change it


def content(card):
    """A card as a parameter of a job, titles and notes left out: they change no result."""
    key = (type(card), card.name)
    if key not in CONTENTS:
        CONTENTS[key] = card.model_dump(mode="json", exclude={"title", "notes"})
    return CONTENTS[key]


def datasets_of(suites):
    """Dataset names of some suites, each once."""
    return list(dict.fromkeys(name for suite in suites for name in CARDS.suite_datasets(suite)))


def used_suites(studies=GRID.studies):
    """Suites that some studies evaluate on."""
    return sorted({row.suite for study in studies for row in GRID.study_rows(study)})


def test_folders(suites):
    """Prepared folders, or samples of them, that some suites are evaluated on, each once."""
    found = [test_folder(name, suite) for suite in suites for name in CARDS.suite_datasets(suite)]
    return list(dict.fromkeys(found))


@cache
def test_folder(dataset, suite):
    """Prepared folder of a dataset, or a sample of it, that a suite is evaluated on."""
    return SPACE.test_folder(dataset, suite)


def suite_data(wildcards):
    """Folders of every dataset that is evaluated."""
    return test_folders(used_suites())


def worded(cells):
    """Files of the wordings in which some cells ask."""
    names = sorted({GRID.decodings[cell.decoding].label_wording for cell in cells})
    return [SPACE.wording(name) for name in names if name != CARD_WORDING]


def scored(owners):
    """Manifests of every score file of some runs or systems."""
    return [f"{HOME}/cells/{owner}/{suite}.scored.json" for owner in owners for suite in GRID.owner_suites(owner)]


def scoring_cards(cells):
    """What decides the scores of some cells beside the predictions: the dataset and protocol cards."""
    datasets = {cell.dataset for cell in cells}
    protocols = {name for cell in cells for name in GRID.cells[cell]}
    return [content(CARDS.datasets[name]) for name in sorted(datasets)] + [
        content(CARDS.protocols[name]) for name in sorted(protocols)
    ]


def study_owners(study):
    """Runs and systems of a study, each once."""
    return list(dict.fromkeys(row.owner for row in GRID.study_rows(study)))


def measured(*names):
    """These files of what is timed rather than scored."""
    return [f"{HOME}/studies/{measurement}/{name}" for measurement in SPACE.measurements for name in names]


def gpu_count(wildcards):
    """GPUs a job asks for, or devices that stand in for them."""
    return 1 if SPACE.device == "cuda" or SPACE.shared_devices else 0


def mixture_parts(mixture):
    """Datasets a mixture reads."""
    card = CARDS.mixtures[mixture]
    return list(dict.fromkeys(part.dataset for part in [*card.parts, *([card.dev] if card.dev else [])]))


def lexicon_digest(dataset):
    """Digest of the word lists behind a generated dataset; empty for real data."""
    if CARDS.datasets[dataset].generator is None:
        return ""
    return files_digest(ROOT, sorted((ROOT / "benchmarks" / "corpora" / "demo_data").glob("*.yaml")))
