# our model beside the published package -> times and memory -> table, figure. Only when a measurement is asked for.


rule measure:
    """Times both sides of every case; holds all cores, because a neighbour would be timed with them."""
    output:
        cases=f"{HOME}/studies/{{measurement}}/cases.csv",
        receipt=f"{HOME}/studies/{{measurement}}/receipt.json",
    log:
        f"{HOME}/logs/measure/{{measurement}}.log",
    conda:
        "../envs/peers.yaml"
    threads: 1024  # Snakemake lowers it to --cores; torch itself gets the threads of the suite
    resources:
        gpu=gpu_count,
        mem_mb=grows(6000),
        runtime=grows(240),
    params:
        card=lambda w: CARDS.measurements[w.measurement].content(),
        size=lambda w: CARDS.measurements[w.measurement].scales[SCALE.name],
        backbone=lambda w: content(CARDS.backbones[CARDS.measurements[w.measurement].backbone]),
        code=lambda w: code("benchmarks.efficiency.suite", "benchmarks.efficiency.memory"),
    script:
        "../scripts/measure.py"


rule show_measurement:
    """Holds the measured medians against the targets of the card and writes table and figure."""
    input:
        f"{HOME}/studies/{{measurement}}/cases.csv",
    output:
        table=f"{HOME}/studies/{{measurement}}/table.md",
        targets=f"{HOME}/studies/{{measurement}}/targets.csv",
        svg=report(
            f"{HOME}/studies/{{measurement}}/figure.svg",
            caption="../captions/measurement.rst",
            category="Figures",
            labels={"study": "{measurement}"},
        ),
        png=f"{HOME}/studies/{{measurement}}/figure.png",
    log:
        f"{HOME}/logs/show_measurement/{{measurement}}.log",
    conda:
        "../envs/report.yaml"
    params:
        card=lambda w: CARDS.measurements[w.measurement].model_dump(mode="json"),
        code=lambda w: code("benchmarks.reporting.efficiency"),
    script:
        "../scripts/show_measurement.py"
