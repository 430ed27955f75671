# Job parameters that record what a page or table shows beside results, so that an edit of it is seen.


def study_card(wildcards):
    """The whole card of a study: its table and page print titles and claims."""
    return CARDS.studies[wildcards.study].model_dump(mode="json")


def study_content(wildcards):
    """What of a study's card decides the numbers of its analyses."""
    return content(CARDS.studies[wildcards.study])


def study_titles(wildcards):
    """Dataset titles that a study's table and figure print."""
    return {name: CARDS.datasets[name].title for name in datasets_of(used_suites([wildcards.study]))}


def published_digest(wildcards):
    """Digest of the published numbers."""
    return files_digest(ROOT, sorted((ROOT / "benchmarks" / "published").glob("*.csv")))


def page_digest(wildcards):
    """Digest of what the page shows beside results: its templates, and the text of deviations and protocols."""
    benchmarks = ROOT / "benchmarks"
    protocols = {benchmarks / "protocols" / f"{row.protocol}.yaml" for row in GRID.rows}
    texts = [benchmarks / "deviations.yaml", *protocols]
    return files_digest(ROOT, sorted([*texts, *(benchmarks / "reporting" / "templates").iterdir()]))
