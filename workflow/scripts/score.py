"""Rule `score`: predictions + gold + protocol -> scores."""

from pathlib import Path

from benchmarks.jobs import job
from benchmarks.scoring.cell import score_cell

with job(snakemake) as space:
    names = snakemake.wildcards
    card, protocol = space.registry.datasets[names.dataset], space.registry.protocols[names.protocol]
    predictions, gold = Path(snakemake.input.predictions), Path(snakemake.input.data) / "test.jsonl"
    width = space.max_width(names.owner, names.decoding)
    score_cell(predictions, gold, card, protocol, width, Path(snakemake.output[0]), snakemake.params.resamples)
