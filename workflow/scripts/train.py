"""Rule `train`: spec + mixture -> checkpoint, history, cost, receipt."""

from pathlib import Path

from benchmarks.pipeline.job import job, limit_threads
from benchmarks.pipeline.training import train_run
from benchmarks.reporting.receipts import now

with job(snakemake) as space:
    limit_threads(snakemake.threads)
    train_run(space, snakemake.wildcards.run, Path(snakemake.input.data), Path(snakemake.params.scratch), now())
