"""Rule `collect`: MLflow + score files -> tidy cells and costs."""

from pathlib import Path

from benchmarks.pipeline.integrity import check_study
from benchmarks.pipeline.job import job
from benchmarks.reporting.collect import collect_study

with job(snakemake) as space:
    check_study(space, snakemake.wildcards.study)
    collect_study(space, snakemake.wildcards.study, Path(snakemake.output.cells), Path(snakemake.output.costs))
