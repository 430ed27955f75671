# spec + mixture -> checkpoint, history, cost, receipt.


rule train:
    """Trains one run; resumes from its scratch state after an interruption."""
    input:
        data=lambda w: SPACE.mixture(GRID.runs[w.run].spec.data.name),
    output:
        model=directory(HOME + "/runs/{run}/model"),
        spec=HOME + "/runs/{run}/spec.json",
        history=HOME + "/runs/{run}/history.jsonl",
        report=HOME + "/runs/{run}/training.json",
        receipt=HOME + "/runs/{run}/receipt.json",
    params:
        spec=lambda w: GRID.runs[w.run].spec.to_json(),
        code=lambda w: code("gliner_core.train"),
        scratch=RESULTS + "/scratch/{run}",
    log:
        HOME + "/logs/train/{run}.log",
    conda:
        "../envs/model.yaml"
    threads: 1
    resources:
        gpu=gpu_count,
        mem_mb=4000,
    script:
        "../scripts/train.py"
