# everything -> one page.


rule publish:
    """Writes the scorecard: every table, figure and verdict of the scale with its provenance."""
    input:
        cells=expand(f"{HOME}/studies/{{study}}/cells.csv", study=GRID.studies),
        costs=expand(f"{HOME}/studies/{{study}}/costs.csv", study=GRID.studies),
        verdicts=expand(f"{HOME}/studies/{{study}}/verdicts.csv", study=GRID.studies),
        differences=expand(f"{HOME}/studies/{{study}}/differences.csv", study=GRID.studies),
        tables=expand(f"{HOME}/studies/{{study}}/table.csv", study=GRID.studies),
        figures=expand(f"{HOME}/studies/{{study}}/figure.svg", study=GRID.studies),
        analyses=analysed(GRID.studies, "rows.csv", "table.md", "figure.svg"),
        measured=measured("cases.csv", "table.md", "figure.svg"),
        leakage=expand(f"{HOME}/leakage/{{suite}}.json", suite=used_suites()),
    output:
        md=f"{HOME}/scorecard.md",
        html=report(
            f"{HOME}/scorecard.html",
            caption="../captions/scorecard.rst",
            category="Scorecard",
            labels={"page": "scorecard"},
        ),
    log:
        f"{HOME}/logs/publish.log",
    conda:
        "../envs/report.yaml"
    params:
        studies=[*GRID.studies, *SPACE.measurements],
        page=page_digest,
        code=code(
            "benchmarks.pipeline.publishing",
            *{ANALYSES[name].page for study in GRID.studies for name in CARDS.studies[study].analyses},
        ),
    script:
        "../scripts/publish.py"
