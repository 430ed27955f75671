# What jobs ask a cluster's scheduler for. On one machine none of it matters unless `--resources` sets a limit.

from benchmarks.catalog.estimates import TRAINING_COPIES, checkpoint_bytes

PROGRAM_MB = 4000  # Python, torch and a batch; a CUDA context in host memory included
MARGIN = 4  # times the hours of the scale card


def grows(amount):
    """So much more with every attempt: a job that was ended for memory or time is tried again with more of both."""
    return lambda wildcards, attempt: amount * attempt


def train_memory(wildcards, attempt):
    """MB of a training: on its way to the disk its state, weights with optimiser and gradients, passes host memory."""
    model = GRID.runs[wildcards.run].spec.model
    state = TRAINING_COPIES * checkpoint_bytes(model, CARDS.backbones[model.backbone.name])
    return attempt * (PROGRAM_MB + state // 10**6)


def train_minutes(wildcards, attempt):
    """Time limit of a training; one that it ends too early saves its state and goes on in the next attempt."""
    hours = SCALE.hours_per_run.get("gpu" if SPACE.device == "cuda" else "cpu", 24)
    return attempt * max(30, round(60 * MARGIN * hours))


# A login node may have no GPU: `auto` would plan a CPU's steps there and a GPU's in the jobs, two different grids.
onstart:
    if workflow.non_local_exec and SPACE.settings.device == "auto":
        raise WorkflowError(
            "`device: auto` looks at this machine, jobs run on others; set device=cuda or device=cpu"
        )
