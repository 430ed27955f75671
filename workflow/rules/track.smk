# files -> MLflow -> tidy cells. The store is a view of the files: what it has lost is logged again.

TRACKING = f"{RESULTS}/tracking/{SPACE.settings.scale}"
# A lost or damaged SQLite store is seen here; its markers alone would let Snakemake believe that all is well.
LOST_STORE = lost_store(SPACE) if workflow.is_main_process else None
if LOST_STORE:
    logger.warning(f"The tracking store must be made again from the files: {LOST_STORE}.")
# The locks of an SQLite file hold on one machine, on shared folders not always: only the machine that the workflow was
# started on opens it. A server takes jobs from anywhere.
ONE_HOST = SPACE.tracking_uri.startswith("sqlite")


rule open_store:
    """Creates the store and the experiment, once and alone: concurrent creation breaks an SQLite store."""
    output:
        f"{TRACKING}/store.json",
    log:
        f"{HOME}/logs/track/store.log",
    localrule: True
    conda:
        "../envs/report.yaml"
    params:
        uri=SPACE.tracking_uri,
        generation=store_generation(SPACE) + (LOST_STORE is not None),
    script:
        "../scripts/open_store.py"


rule track:
    """Logs one run or system: parameters, curve, scores, cost, receipt. Waits on disk if the store is away."""
    input:
        store=f"{TRACKING}/store.json",
        scores=lambda w: scored([w.owner]),
        run=lambda w: (f"{HOME}/runs/{w.owner}/receipt.json" if w.owner in GRID.runs else []),
    output:
        f"{TRACKING}/{{owner}}.json",
    log:
        f"{HOME}/logs/track/{{owner}}.log",
    localrule: ONE_HOST
    conda:
        "../envs/report.yaml"
    params:
        uri=SPACE.tracking_uri,
        tags=lambda w: GRID.tags(w.owner),
        code=lambda w: code("benchmarks.reporting.delivery"),
    script:
        "../scripts/track.py"


rule collect:
    """Reads a study's metrics back from MLflow, checks them against the score files, writes tidy cells."""
    input:
        tracked=lambda w: [f"{TRACKING}/{owner}.json" for owner in study_owners(w.study)],
        scores=lambda w: scored(study_owners(w.study)),
    output:
        cells=f"{HOME}/studies/{{study}}/cells.csv",
        costs=f"{HOME}/studies/{{study}}/costs.csv",
    log:
        f"{HOME}/logs/collect/{{study}}.log",
    localrule: ONE_HOST
    conda:
        "../envs/report.yaml"
    params:
        rows=lambda w: [str(row) for row in GRID.study_rows(w.study)],
        code=lambda w: code("benchmarks.reporting.collect"),
    script:
        "../scripts/collect.py"
