# checkpoint + dataset -> predictions (the model's work) -> scores (arithmetic, free to change).


rule predict:
    """Asks a run or system for one dataset; keeps every candidate above a low floor with its score."""
    input:
        model=lambda w: f"{HOME}/runs/{w.owner}/model" if w.owner in GRID.runs else [],
        data=lambda w: SPACE.data(w.dataset),
    output:
        predictions=HOME + "/cells/{owner}/{dataset}/{decoding}/predictions.jsonl",
        receipt=HOME + "/cells/{owner}/{dataset}/{decoding}/receipt.json",
    params:
        labels=lambda w: CARDS.datasets[w.dataset].labels,
        code=lambda w: code("benchmarks.scoring.answer"),
    log:
        HOME + "/logs/predict/{owner}/{dataset}.{decoding}.log",
    conda:
        "../envs/model.yaml"
    threads: 1
    resources:
        gpu=gpu_count,
        mem_mb=3000,
    script:
        "../scripts/predict.py"


rule score:
    """Scores one prediction file under one protocol."""
    input:
        predictions=HOME + "/cells/{owner}/{dataset}/{decoding}/predictions.jsonl",
        data=lambda w: SPACE.data(w.dataset),
    output:
        HOME + "/cells/{owner}/{dataset}/{decoding}/scores.{protocol}.json",
    params:
        dataset=card_of("dataset"),
        protocol=card_of("protocol"),
        resamples=SPACE.settings.resamples,
        code=lambda w: code("benchmarks.scoring.cell"),
    log:
        HOME + "/logs/score/{owner}/{dataset}.{decoding}.{protocol}.log",
    conda:
        "../envs/report.yaml"
    script:
        "../scripts/score.py"
