# what a study is asked beyond its table: tidy rows, then sentences, table and figure. benchmarks/catalog/analyses.py
# names the analyses and what each reads.


rule gather:
    """Gathers the tidy rows of one analysis of a study; what is timed holds all cores."""
    input:
        analysis_input,
    output:
        f"{HOME}/studies/{{study}}/{{analysis}}/rows.csv",
    log:
        f"{HOME}/logs/gather/{{study}}.{{analysis}}.log",
    conda:
        "../envs/analyse.yaml"
    threads: lambda w: 1024 if ANALYSES[w.analysis].alone else 1
    resources:
        gpu=lambda w: gpu_count(w) if "models" in ANALYSES[w.analysis].reads else 0,
        mem_mb=grows(4000),
        runtime=grows(120),
    params:
        card=study_content,
        rows=lambda w: [str(row) for row in GRID.study_rows(w.study)],
        resamples=SPACE.settings.resamples,
        code=lambda w: code("benchmarks.analyses.gathering", ANALYSES[w.analysis].rows),
    script:
        "../scripts/gather.py"


rule present:
    """Writes the sentences, the table and the figure of one analysis."""
    input:
        f"{HOME}/studies/{{study}}/{{analysis}}/rows.csv",
    output:
        md=f"{HOME}/studies/{{study}}/{{analysis}}/table.md",
        txt=f"{HOME}/studies/{{study}}/{{analysis}}/findings.txt",
        svg=report(
            f"{HOME}/studies/{{study}}/{{analysis}}/figure.svg",
            caption="../captions/analysis.rst",
            category="Figures",
            labels={"study": "{study}, {analysis}"},
        ),
        png=f"{HOME}/studies/{{study}}/{{analysis}}/figure.png",
    log:
        f"{HOME}/logs/present/{{study}}.{{analysis}}.log",
    conda:
        "../envs/report.yaml"
    params:
        card=study_card,
        code=lambda w: code("benchmarks.analyses.pages", ANALYSES[w.analysis].page),
    script:
        "../scripts/present.py"
