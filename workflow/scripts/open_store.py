"""Rule `open_store`: creates the MLflow store and the experiment."""

from pathlib import Path

from benchmarks.pipeline.job import job
from benchmarks.reporting.delivery import open_store

with job(snakemake) as space:
    open_store(space, Path(snakemake.output[0]), snakemake.params.generation)
