"""Rule `track`: files of one run or system -> MLflow."""

from pathlib import Path

from benchmarks.pipeline.integrity import check_scores
from benchmarks.pipeline.job import job
from benchmarks.reporting.delivery import track_owner

with job(snakemake) as space:
    check_scores(space, snakemake.wildcards.owner)
    track_owner(space, snakemake.wildcards.owner, Path(snakemake.output[0]))
