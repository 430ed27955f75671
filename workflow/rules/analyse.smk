# tidy cells + published numbers -> verdicts, table, figure.


rule compare:
    """Holds a study's cells against the numbers of the paper."""
    input:
        HOME + "/studies/{study}/cells.csv",
    output:
        HOME + "/studies/{study}/verdicts.csv",
    params:
        card=study_card,
        published=published_digest,
        code=lambda w: code("benchmarks.reporting.compare"),
    log:
        HOME + "/logs/compare/{study}.log",
    conda:
        "../envs/report.yaml"
    script:
        "../scripts/compare.py"


rule tabulate:
    """Writes the table of a study as CSV, Markdown and LaTeX."""
    input:
        HOME + "/studies/{study}/cells.csv",
    output:
        csv=HOME + "/studies/{study}/table.csv",
        md=HOME + "/studies/{study}/table.md",
        tex=HOME + "/studies/{study}/table.tex",
    params:
        card=study_card,
        published=published_digest,
        code=lambda w: code("benchmarks.reporting.tables"),
    log:
        HOME + "/logs/tabulate/{study}.log",
    conda:
        "../envs/report.yaml"
    script:
        "../scripts/tabulate.py"


rule plot:
    """Draws the figure of a study."""
    input:
        cells=HOME + "/studies/{study}/cells.csv",
        costs=HOME + "/studies/{study}/costs.csv",
    output:
        svg=report(
            HOME + "/studies/{study}/figure.svg",
            caption="../captions/figure.rst",
            category="Figures",
            labels={"study": "{study}"},
        ),
        png=HOME + "/studies/{study}/figure.png",
    params:
        card=study_card,
        published=published_digest,
        code=lambda w: code("benchmarks.reporting.figures"),
    log:
        HOME + "/logs/plot/{study}.log",
    conda:
        "../envs/report.yaml"
    script:
        "../scripts/plot.py"
