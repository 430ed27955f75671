"""Rule `pair`: score files of a study -> paired differences from its baseline, with their verdicts."""

from pathlib import Path

from benchmarks.pipeline.integrity import check_study
from benchmarks.pipeline.job import job
from benchmarks.reporting.paired import write_differences

with job(snakemake) as space:
    check_study(space, snakemake.wildcards.study)
    write_differences(space, snakemake.wildcards.study, Path(snakemake.output[0]))
