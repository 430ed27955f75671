"""Rule `gather`: results of a study -> tidy rows of one analysis."""

from pathlib import Path

from benchmarks.analyses.gathering import gather_rows
from benchmarks.pipeline.job import job, limit_threads

with job(snakemake) as space:
    limit_threads(1)
    gather_rows(space, snakemake.wildcards.study, snakemake.wildcards.analysis, Path(snakemake.output[0]))
