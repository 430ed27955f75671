"""Rule `train`: spec + mixture -> checkpoint, history, cost, receipt."""

from pathlib import Path

from benchmarks.pipeline.job import job, limit_threads
from benchmarks.pipeline.training import train_run

with job(snakemake) as space:
    limit_threads(snakemake.threads)
    place, code = Path(snakemake.params.scratch), snakemake.params.code
    train_run(space, snakemake.wildcards.run, Path(snakemake.input.data), place, code)
