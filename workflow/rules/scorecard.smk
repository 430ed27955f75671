# everything -> one page.


rule publish:
    """Writes the scorecard: every table, figure and verdict of the scale with its provenance."""
    input:
        cells=expand(HOME + "/studies/{study}/cells.csv", study=GRID.studies),
        costs=expand(HOME + "/studies/{study}/costs.csv", study=GRID.studies),
        verdicts=expand(HOME + "/studies/{study}/verdicts.csv", study=GRID.studies),
        tables=expand(HOME + "/studies/{study}/table.csv", study=GRID.studies),
        figures=expand(HOME + "/studies/{study}/figure.svg", study=GRID.studies),
        leakage=expand(HOME + "/leakage/{suite}.json", suite=used_suites()),
    output:
        md=HOME + "/scorecard.md",
        html=report(
            HOME + "/scorecard.html",
            caption="../captions/scorecard.rst",
            category="Scorecard",
            labels={"page": "scorecard"},
        ),
    params:
        studies=GRID.studies,
        code=code("benchmarks.reporting.facts"),
    log:
        HOME + "/logs/publish.log",
    conda:
        "../envs/report.yaml"
    script:
        "../scripts/publish.py"
