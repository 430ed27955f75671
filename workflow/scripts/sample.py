"""Rule `sample`: a prepared dataset -> the sentences that a suite of samples is evaluated on."""

from pathlib import Path

from benchmarks.corpora.sampling import sample_dataset
from benchmarks.pipeline.integrity import check_split
from benchmarks.pipeline.job import job

with job(snakemake) as space:
    _, split, max_sentences = space.samples()[snakemake.wildcards.sample]
    check_split(Path(snakemake.input[0]) / f"{split}.jsonl")
    sample_dataset(Path(snakemake.input[0]), split, max_sentences, Path(snakemake.output[0]))
