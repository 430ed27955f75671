# checkpoint + datasets -> predictions (the model's work) -> scores (arithmetic, free to change).
# One job answers one run on one suite: loading a model costs more than answering a small dataset, and the graph stays
# small at any number of datasets. Each cell is resumed on its own (benchmarks/pipeline/predicting.py).


rule predict:
    """Asks a run or system for every dataset of a suite; keeps all candidates above a low floor with their scores."""
    input:
        model=lambda w: f"{HOME}/runs/{w.owner}/model" if w.owner in GRID.runs else [],
        receipt=lambda w: (f"{HOME}/runs/{w.owner}/receipt.json" if w.owner in GRID.runs else []),
        data=lambda w: [test_folder(cell.dataset, w.suite) for cell in GRID.batch(w.owner, w.suite)],
        wordings=lambda w: worded(GRID.batch(w.owner, w.suite)),
    output:
        f"{HOME}/cells/{{owner}}/{{suite}}.predicted.json",
    log:
        f"{HOME}/logs/predict/{{owner}}.{{suite}}.log",
    conda:
        "../envs/model.yaml"
    threads: 1
    resources:
        gpu=gpu_count,
        mem_mb=grows(4000),
        runtime=grows(120),
    params:
        cells=lambda w: [cell.folder for cell in GRID.batch(w.owner, w.suite)],
        labels=lambda w: [CARDS.datasets[cell.dataset].labels for cell in GRID.batch(w.owner, w.suite)],
        system=lambda w: content(CARDS.systems[w.owner]) if w.owner in CARDS.systems else {},
        code=lambda w: code("benchmarks.scoring.answer", *adapter(w)),
    script:
        "../scripts/predict.py"


rule score:
    """Scores the prediction files of a batch under every protocol that the studies ask for."""
    input:
        predictions=f"{HOME}/cells/{{owner}}/{{suite}}.predicted.json",
        data=lambda w: [test_folder(cell.dataset, w.suite) for cell in GRID.batch(w.owner, w.suite)],
    output:
        f"{HOME}/cells/{{owner}}/{{suite}}.scored.json",
    log:
        f"{HOME}/logs/score/{{owner}}.{{suite}}.log",
    conda:
        "../envs/report.yaml"
    params:
        cells=lambda w: {cell.folder: GRID.cells[cell] for cell in GRID.batch(w.owner, w.suite)},
        cards=lambda w: scoring_cards(GRID.batch(w.owner, w.suite)),
        resamples=SPACE.settings.resamples,
        code=lambda w: code("benchmarks.pipeline.scoring"),
    script:
        "../scripts/score.py"
