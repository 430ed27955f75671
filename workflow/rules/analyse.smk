# tidy cells + published numbers -> verdicts, paired differences, table, figure.


rule compare:
    """Holds a study's cells against the numbers of the paper."""
    input:
        f"{HOME}/studies/{{study}}/cells.csv",
    output:
        f"{HOME}/studies/{{study}}/verdicts.csv",
    log:
        f"{HOME}/logs/compare/{{study}}.log",
    conda:
        "../envs/report.yaml"
    params:
        card=study_card,
        published=published_digest,
        code=lambda w: code("benchmarks.reporting.compare", "benchmarks.reporting.summary"),
    script:
        "../scripts/compare.py"


rule pair:
    """Holds the variants and systems of a study against its baseline, sentence by sentence and seed by seed."""
    input:
        lambda w: scored(study_owners(w.study)),
    output:
        f"{HOME}/studies/{{study}}/differences.csv",
    log:
        f"{HOME}/logs/pair/{{study}}.log",
    conda:
        "../envs/report.yaml"
    params:
        rows=lambda w: [str(row) for row in GRID.study_rows(w.study)],
        baseline=lambda w: CARDS.studies[w.study].baseline_variant,
        resamples=SPACE.settings.resamples,
        code=lambda w: code("benchmarks.reporting.paired"),
    script:
        "../scripts/pair.py"


rule tabulate:
    """Writes the table of a study as CSV, Markdown and LaTeX."""
    input:
        cells=f"{HOME}/studies/{{study}}/cells.csv",
        verdicts=f"{HOME}/studies/{{study}}/verdicts.csv",
        differences=f"{HOME}/studies/{{study}}/differences.csv",
    output:
        csv=f"{HOME}/studies/{{study}}/table.csv",
        md=f"{HOME}/studies/{{study}}/table.md",
        tex=f"{HOME}/studies/{{study}}/table.tex",
    log:
        f"{HOME}/logs/tabulate/{{study}}.log",
    conda:
        "../envs/report.yaml"
    params:
        card=study_card,
        titles=study_titles,
        published=published_digest,
        code=lambda w: code("benchmarks.reporting.tables", "benchmarks.reporting.inputs"),
    script:
        "../scripts/tabulate.py"


rule plot:
    """Draws the figure of a study."""
    input:
        cells=f"{HOME}/studies/{{study}}/cells.csv",
        costs=f"{HOME}/studies/{{study}}/costs.csv",
    output:
        svg=report(
            f"{HOME}/studies/{{study}}/figure.svg",
            caption="../captions/figure.rst",
            category="Figures",
            labels={"study": "{study}"},
        ),
        png=f"{HOME}/studies/{{study}}/figure.png",
    log:
        f"{HOME}/logs/plot/{{study}}.log",
    conda:
        "../envs/report.yaml"
    params:
        card=study_card,
        titles=study_titles,
        published=published_digest,
        code=lambda w: code("benchmarks.reporting.figures", "benchmarks.reporting.inputs"),
    script:
        "../scripts/plot.py"
