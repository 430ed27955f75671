"""Rule `check_leakage`: training mixture against a suite."""

from pathlib import Path

from benchmarks.corpora.leakage import check_held_out, leakage_report
from benchmarks.pipeline.integrity import check_split
from benchmarks.pipeline.job import job
from gliner_core.files import write_json

with job(snakemake) as space:
    files = space.suite_files(snakemake.wildcards.suite)
    labels = {name: space.registry.datasets[name].labels for name in files}
    train = Path(snakemake.input.train) / "train.jsonl"
    for file in [train, *files.values()]:
        check_split(file)
    report = leakage_report(train, files, labels)
    if snakemake.params.held_out:
        check_held_out(report)
    write_json(snakemake.output[0], report)
