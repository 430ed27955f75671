# spec + mixture (+ the run whose weights it starts from) -> checkpoint, history, cost, receipt.


rule train:
    """Trains one run; resumes from its scratch state after an interruption."""
    input:
        data=lambda w: SPACE.mixture(GRID.runs[w.run].spec.data.name),
        start=start_of,
    output:
        model=directory(f"{HOME}/runs/{{run}}/model"),
        spec=f"{HOME}/runs/{{run}}/spec.json",
        history=f"{HOME}/runs/{{run}}/history.jsonl",
        report=f"{HOME}/runs/{{run}}/training.json",
        receipt=f"{HOME}/runs/{{run}}/receipt.json",
    log:
        f"{HOME}/logs/train/{{run}}.log",
    conda:
        "../envs/model.yaml"
    threads: train_processes
    resources:
        gpu=train_gpus,
        mem_mb=train_memory,
        runtime=train_minutes,
    params:
        spec=lambda w: GRID.runs[w.run].spec.to_json(),
        code=lambda w: code(TRAINERS[GRID.runs[w.run].spec.optim.trainer]),
        scratch=f"{RESULTS}/scratch/{{run}}",
    script:
        "../scripts/train.py"
