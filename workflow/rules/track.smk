# files -> MLflow -> tidy cells. The store is a view of the files: delete results/tracking and it is rebuilt.

TRACKING = RESULTS + "/tracking/" + SPACE.settings.scale


rule open_store:
    """Creates the store and the experiment, once and alone: concurrent creation breaks an SQLite store."""
    output:
        TRACKING + "/store.json",
    params:
        uri=SPACE.tracking_uri,
    log:
        HOME + "/logs/track/store.log",
    conda:
        "../envs/report.yaml"
    script:
        "../scripts/open_store.py"


rule track:
    """Logs one run or system: parameters, curve, scores, cost, receipt."""
    input:
        store=ancient(TRACKING + "/store.json"),
        scores=lambda w: score_files(w.owner),
        run=lambda w: f"{HOME}/runs/{w.owner}/receipt.json" if w.owner in GRID.runs else [],
    output:
        TRACKING + "/{owner}.json",
    params:
        uri=SPACE.tracking_uri,
        tags=lambda w: GRID.tags(w.owner),
        code=lambda w: code("benchmarks.reporting.track"),
    log:
        HOME + "/logs/track/{owner}.log",
    conda:
        "../envs/report.yaml"
    script:
        "../scripts/track.py"


rule collect:
    """Reads a study's metrics back from MLflow, checks them against the score files, writes tidy cells."""
    input:
        tracked=lambda w: [f"{TRACKING}/{row.owner}.json" for row in GRID.study_rows(w.study)],
        scores=lambda w: [path for row in GRID.study_rows(w.study) for path in score_files(row.owner)],
    output:
        cells=HOME + "/studies/{study}/cells.csv",
        costs=HOME + "/studies/{study}/costs.csv",
    params:
        rows=lambda w: [str(row) for row in GRID.study_rows(w.study)],
        code=lambda w: code("benchmarks.reporting.collect"),
    log:
        HOME + "/logs/collect/{study}.log",
    conda:
        "../envs/report.yaml"
    script:
        "../scripts/collect.py"
