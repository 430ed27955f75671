# Raw corpora -> canonical words and spans -> training mixtures, and what leaked from training into the test sets.


rule fetch:
    """Puts the pinned raw files of a dataset into the cache: cache, then mirror, then the public source."""
    output:
        f"{RESULTS}/data/.fetched/{{dataset}}.json",
    log:
        f"{RESULTS}/data/.fetched/{{dataset}}.log",
    conda:
        "../envs/fetch.yaml"
    params:
        card=lambda w: content(CARDS.datasets[w.dataset]),
    script:
        "../scripts/fetch.py"


rule prepare:
    """Reads, checks and writes one dataset in canonical form."""
    input:
        lambda w: ([] if CARDS.datasets[w.dataset].generator else f"{RESULTS}/data/.fetched/{w.dataset}.json"),
    output:
        directory(f"{RESULTS}/data/{{dataset}}"),
    log:
        f"{RESULTS}/logs/prepare/{{dataset}}.log",
    conda:
        "../envs/fetch.yaml"
    params:
        card=lambda w: content(CARDS.datasets[w.dataset]),
        code=lambda w: code("benchmarks.corpora.prepare"),
        lexicon=lambda w: lexicon_digest(w.dataset),
    script:
        "../scripts/prepare.py"


rule word:
    """Writes the strings of one wording; those of a public file are fetched as raw data are."""
    output:
        f"{RESULTS}/wordings/{{wording}}.json",
    log:
        f"{RESULTS}/logs/word/{{wording}}.log",
    conda:
        "../envs/fetch.yaml"
    params:
        card=lambda w: content(CARDS.wordings[w.wording]),
        code=lambda w: code("benchmarks.corpora.wording"),
    script:
        "../scripts/word.py"


rule sample:
    """Draws the sentences that a suite with `max_sentences` is evaluated on."""
    input:
        lambda w: SPACE.data(SPACE.samples()[w.sample][0]),
    output:
        directory(f"{RESULTS}/samples/{{sample}}"),
    log:
        f"{RESULTS}/logs/sample/{{sample}}.log",
    conda:
        "../envs/fetch.yaml"
    params:
        code=lambda w: code("benchmarks.corpora.sampling"),
    script:
        "../scripts/sample.py"


rule mix:
    """Draws a training mixture from its parts under the hygiene rules of its card."""
    input:
        parts=lambda w: [SPACE.data(name) for name in mixture_parts(w.mixture)],
        tests=lambda w: [SPACE.data(name) for name in datasets_of(CARDS.mixtures[w.mixture].disjoint_from)],
    output:
        directory(f"{RESULTS}/mixtures/{{mixture}}"),
    log:
        f"{RESULTS}/logs/mix/{{mixture}}.log",
    conda:
        "../envs/fetch.yaml"
    params:
        card=lambda w: content(CARDS.mixtures[w.mixture]),
        code=lambda w: code("benchmarks.corpora.mixture"),
    script:
        "../scripts/mix.py"


rule check_leakage:
    """Reports what of a suite occurs in the training data; at a synthetic scale any overlap stops the workflow."""
    input:
        train=SPACE.mixture(SPACE.baseline_mixture),
        tests=lambda w: test_folders([w.suite]),
    output:
        f"{HOME}/leakage/{{suite}}.json",
    log:
        f"{HOME}/logs/leakage/{{suite}}.log",
    conda:
        "../envs/fetch.yaml"
    params:
        code=lambda w: code("benchmarks.corpora.leakage"),
        held_out=lambda w: SCALE.synthetic and w.suite == SCALE.suites["ood"],
    script:
        "../scripts/check_leakage.py"
