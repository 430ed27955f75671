"""Rule `track`: files of one run or system -> MLflow."""

from pathlib import Path

from benchmarks.pipeline.job import job
from benchmarks.reporting.delivery import track_owner

with job(snakemake) as space:
    track_owner(space, snakemake.wildcards.owner, Path(snakemake.output[0]))
