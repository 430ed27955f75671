# Raw corpora -> canonical words and spans -> training mixtures, and what leaked from training into the test sets.


rule fetch:
    """Puts the pinned raw files of a dataset into the cache: cache, then mirror, then the public source."""
    output:
        RESULTS + "/data/.fetched/{dataset}.json",
    params:
        card=card_of("dataset"),
    log:
        RESULTS + "/data/.fetched/{dataset}.log",
    conda:
        "../envs/fetch.yaml"
    script:
        "../scripts/fetch.py"


rule prepare:
    """Reads, checks and writes one dataset in canonical form."""
    input:
        lambda w: [] if CARDS.datasets[w.dataset].generator else f"{RESULTS}/data/.fetched/{w.dataset}.json",
    output:
        directory(RESULTS + "/data/{dataset}"),
    params:
        card=card_of("dataset"),
        code=lambda w: code("benchmarks.corpora.prepare"),
        lexicon=lambda w: lexicon_digest(w.dataset),
    log:
        RESULTS + "/logs/prepare/{dataset}.log",
    conda:
        "../envs/fetch.yaml"
    script:
        "../scripts/prepare.py"


rule mix:
    """Draws a training mixture from its parts under the hygiene rules of its card."""
    input:
        parts=lambda w: [SPACE.data(name) for name in mixture_parts(w.mixture)],
        tests=lambda w: [SPACE.data(name) for name in datasets_of(CARDS.mixtures[w.mixture].disjoint_from)],
    output:
        directory(RESULTS + "/mixtures/{mixture}"),
    params:
        card=card_of("mixture"),
        code=lambda w: code("benchmarks.corpora.mixture"),
    log:
        RESULTS + "/logs/mix/{mixture}.log",
    conda:
        "../envs/fetch.yaml"
    script:
        "../scripts/mix.py"


rule check_leakage:
    """Reports what of a suite occurs in the training data; at a synthetic scale any overlap stops the workflow."""
    input:
        train=SPACE.mixture(SCALE.mixture),
        tests=lambda w: [SPACE.data(name) for name in CARDS.suite_datasets(w.suite)],
    output:
        HOME + "/leakage/{suite}.json",
    params:
        code=lambda w: code("benchmarks.corpora.leakage"),
        held_out=lambda w: SCALE.synthetic and w.suite == SCALE.suites["ood"],
    log:
        HOME + "/logs/leakage/{suite}.log",
    conda:
        "../envs/fetch.yaml"
    script:
        "../scripts/check_leakage.py"
