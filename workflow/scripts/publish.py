"""Rule `publish`: every study -> scorecard.{md,html}."""

from pathlib import Path

from benchmarks.pipeline.job import job
from benchmarks.pipeline.publishing import publish

with job(snakemake) as space:
    publish(space, Path(snakemake.output.md), Path(snakemake.output.html))
