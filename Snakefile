# GLiNER Bench: trains GLiNER variants, evaluates them, and writes tables, figures and a scorecard.
#   snakemake --cores all                               the scale of workflow/config.yaml (demo)
#   snakemake --cores all --config scale=pilot mirror=DIR studies=[main_table] seeds=[1]
#   snakemake --cores all --use-conda                   the same with conda environments
# Cards in benchmarks/ say what is computed, benchmarks/ and gliner_core/ hold the code, workflow/rules/ the steps.

from snakemake.utils import min_version

min_version("9.0")


configfile: "workflow/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/cluster.smk"
include: "workflow/rules/parameters.smk"
include: "workflow/rules/inputs.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/track.smk"
include: "workflow/rules/analyse.smk"
include: "workflow/rules/analyses.smk"
include: "workflow/rules/efficiency.smk"
include: "workflow/rules/scorecard.smk"


localrules:
    all,
    data,
    fetch,
    open_store,
    publish,
    word,


rule all:
    """Everything; tables, figures and tracking are named beside the scorecard, so that a lost one is made again."""
    default_target: True
    input:
        [SPACE.home / f"scorecard.{kind}" for kind in ("html", "md") if GRID.studies],
        expand(f"{HOME}/studies/{{study}}/table.{{kind}}", study=GRID.studies, kind=("csv", "md", "tex")),
        expand(f"{HOME}/studies/{{study}}/differences.csv", study=GRID.studies),
        expand(f"{HOME}/studies/{{study}}/figure.{{kind}}", study=GRID.studies, kind=("svg", "png")),
        analysed(GRID.studies, "table.md", "figure.svg", "figure.png"),
        expand(f"{TRACKING}/{{owner}}.json", owner=GRID.owners()),
        measured("receipt.json", "table.md", "targets.csv", "figure.svg", "figure.png"),


rule data:
    """Raw files fetched, checked and prepared; afterwards the workflow needs no network."""
    input:
        suite_data,
        worded(GRID.cells),
        SPACE.mixture(SPACE.baseline_mixture),
