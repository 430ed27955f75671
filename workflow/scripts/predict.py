"""Rule `predict`: checkpoint or system + datasets of a suite -> candidate spans with scores."""

from pathlib import Path

from benchmarks.pipeline.job import job, limit_threads
from benchmarks.pipeline.predicting import Batch

with job(snakemake) as space:
    limit_threads(snakemake.threads)
    names = snakemake.wildcards
    Batch(space, names.owner, names.suite, snakemake.params.code).predict(Path(snakemake.output[0]))
