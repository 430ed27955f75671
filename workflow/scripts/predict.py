"""Rule `predict`: checkpoint or system + dataset -> candidate spans with scores."""

from pathlib import Path

from benchmarks.jobs import job, limit_threads
from benchmarks.predicting import predict_cell

with job(snakemake) as space:
    limit_threads(snakemake.threads)
    predict_cell(space, snakemake.wildcards, Path(snakemake.input.data), Path(snakemake.output.predictions))
