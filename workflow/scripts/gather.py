"""Rule `gather`: results of a study -> tidy rows of one analysis."""

from pathlib import Path

from benchmarks.analyses.gathering import gather_rows
from benchmarks.catalog.analyses import ANALYSES
from benchmarks.pipeline.integrity import check_study
from benchmarks.pipeline.job import job, limit_threads

with job(snakemake) as space:
    limit_threads(1)
    study, analysis = snakemake.wildcards.study, snakemake.wildcards.analysis
    if "scores" in ANALYSES[analysis].reads:
        check_study(space, study, predictions=True)
    gather_rows(space, study, analysis, Path(snakemake.output[0]))
