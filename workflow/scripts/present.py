"""Rule `present`: tidy rows of an analysis -> table.md, findings.txt, figure.{svg,png}."""

from pathlib import Path

from benchmarks.analyses.pages import write_page
from benchmarks.pipeline.job import job

with job(snakemake) as space:
    names = snakemake.wildcards
    write_page(space, names.study, names.analysis, [Path(path) for path in snakemake.output])
