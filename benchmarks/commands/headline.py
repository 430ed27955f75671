"""`python -m benchmarks headline`: the headline table of a finished scale, and where to look next."""

from benchmarks.catalog.workspace import Workspace
from gliner_core.errors import InputError
from gliner_core.files import read_text

HEADLINE = "main_table"


def print_headline(space: Workspace) -> None:
    """Prints the table of the headline study and the paths of scorecard, figures and tracking store."""
    studies = (*space.grid.studies, *space.measurements)
    study = HEADLINE if HEADLINE in studies else studies[0]
    table = space.study(study) / "table.md"
    if not table.is_file():
        raise InputError(f"{table}: not there yet; run `make demo` or `snakemake --cores all` first")
    print(read_text(table))
    print(f"scorecard      {space.home / 'scorecard.html'}  (and scorecard.md)")
    print(f"figures        {space.home / 'studies'}/*/figure.svg  (and .png)")
    print(f"tables         {space.home / 'studies'}/*/table.csv  (and .md, .tex)")
    print(f"tracking store {space.tracking_uri}  (`make ui` opens it)")
