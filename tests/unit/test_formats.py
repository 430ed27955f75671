"""Column files and the options that all readers share, on hand-written files, and how faults are named."""

from pathlib import Path
from typing import Any

import pytest
from corpora_support import read_raw, small, spans

from benchmarks.corpora.formats import read, readable
from gliner_core.errors import InputError
from gliner_core.examples import Span


def test_conll_plain(tmp_path: Path) -> None:
    reading = read_raw(tmp_path, "conll", "EU\tB-org\nand\tO\nNew\tB-loc\nYork\tI-loc\n\n\nno\tO\n")
    first, second = reading.examples
    assert spans(first) == [("EU", "org"), ("New York", "loc")]
    assert (first.id, second.id) == ("tiny-test-000000", "tiny-test-000001")
    assert second.words == ("no",) and reading.lenient_openings == 0


def test_conll_tag_first_and_carriage_returns(tmp_path: Path) -> None:
    reading = read_raw(tmp_path, "conll", "B-ACTOR\tbruce\r\nI-ACTOR\twillis\r\n\r\n", token=1, tag=0)
    assert spans(reading.examples[0]) == [("bruce willis", "ACTOR")]


def test_conll_lenient_openings_are_counted(tmp_path: Path) -> None:
    text = "a\tI-x\nb\tI-x\nc\tI-y\nd\tB-y\ne\tI-y\n\nf\tO\ng\tI-y\n"
    reading = read_raw(tmp_path, "conll", text)
    assert [spans(example) for example in reading.examples] == [[("a b", "x"), ("c", "y"), ("d e", "y")], [("g", "y")]]
    assert reading.lenient_openings == 3


def test_conll_a_gap_parts_two_entities_of_one_type(tmp_path: Path) -> None:
    reading = read_raw(tmp_path, "conll", "a\tB-x\nof\tO\nb\tI-x\n")
    assert spans(reading.examples[0]) == [("a", "x"), ("b", "x")] and reading.lenient_openings == 1


def test_conll_iob1_opens_with_i_and_b_parts_neighbours(tmp_path: Path) -> None:
    reading = read_raw(tmp_path, "conll", "a I-x\nb I-x\nc B-x\nd I-y\n", separator="space", scheme="iob1")
    assert spans(reading.examples[0]) == [("a b", "x"), ("c", "x"), ("d", "y")]
    assert reading.lenient_openings == 0


def test_conll_io_has_bare_types(tmp_path: Path) -> None:
    reading = read_raw(tmp_path, "conll", "a\tB-x/y\nb\tB-x/y\nc\tO\n", scheme="io")
    assert spans(reading.examples[0]) == [("a b", "B-x/y")]


def test_conll_lines_without_a_word_are_refused_or_left_out(tmp_path: Path) -> None:
    text = "New\tB-loc\n\tO\nYork\tB-loc\n \tO\n\n\tO\n\nno\tO\n"
    with pytest.raises(InputError, match=r"a\.txt:2: the word is empty"):
        read_raw(tmp_path, "conll", text)
    reading = read_raw(tmp_path, "conll", text, empty_words="drop")
    assert [example.words for example in reading.examples] == [("New", "York"), ("no",)]
    assert spans(reading.examples[0]) == [("New", "loc"), ("York", "loc")]
    with pytest.raises(InputError, match=r"a\.txt:1: the word is empty"):
        read_raw(tmp_path, "conll", "\tB-loc\n", empty_words="drop")
    with pytest.raises(InputError, match=r"`empty_words` is 'keep'; use one of drop"):
        read_raw(tmp_path, "conll", text, empty_words="keep")


def test_conll_ids_comments_and_hash_words(tmp_path: Path) -> None:
    text = "\n# id 7f-2\tdomain=en\n# _ _ B-L\nc _ _ I-L\n\n# id 7f-3\tdomain=en\nd _ _ O\n"
    reading = read_raw(tmp_path, "conll", text, separator="space", tag=3, id_comment="# id")
    assert [example.id for example in reading.examples] == ["7f-2", "7f-3"]
    assert spans(reading.examples[0]) == [("# c", "L")]


def test_conll_types_with_spaces_and_odd_line_ends(tmp_path: Path) -> None:
    reading = read_raw(tmp_path, "conll", "flu\u2028x\tB-medical condition\n\x85\tI-medical condition\n")
    assert reading.examples[0].words == ("flu\u2028x", "\x85")
    assert reading.examples[0].spans == (Span(0, 1, "medical condition"),)


def test_conll_docstart_single_tab_breaks_and_markup_sentences(tmp_path: Path) -> None:
    text = "-DOCSTART-\tO\n\nQ_ID\tO\n:\tO\n\t\nuse\tO\nnumpy\tB-lib\n\t\n"
    reading = read_raw(tmp_path, "conll", text, docstart=True, skip_starting=["Q_ID"])
    assert [example.words for example in reading.examples] == [("use", "numpy")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\tO\nb\n", r"a\.txt:2: 1 columns where 2 are expected"),
        ("a\tO\nb\tO\tO\n", r"a\.txt:2: 3 columns where 2 are expected"),
        ("a\n", r"a\.txt:1: 1 columns where 2 are expected"),
        ("a\tO\n\tO\n", r"a\.txt:2: the word is empty"),
        ("a\tO\nb\tX-y\n", r"a\.txt:2: tag 'X-y' is none of"),
        ("a\tB-\n", r"a\.txt:1: tag 'B-' is none of"),
        ("a\torg\n", r"a\.txt:1: tag 'org' is none of"),
        ("\n\n", r"dataset tiny: split `test` holds no sentence"),
    ],
)
def test_conll_faults(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        read_raw(tmp_path, "conll", text)
    assert "\n" not in str(error.value)


def test_repeated_ids_are_renamed_or_dropped(tmp_path: Path) -> None:
    text = "".join(f"# id same\n{word}\tB-x\n\n" for word in "abc")
    renamed = read_raw(tmp_path, "conll", text, id_comment="# id")
    assert [example.id for example in renamed.examples] == ["same", "same~2", "same~3"]
    dropped = read_raw(tmp_path, "conll", text, id_comment="# id", repeated_ids="drop")
    assert len(dropped.examples) == 1 and dropped.repeated_ids == 2


def test_hold_out_parts_the_rows_between_splits(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("".join(f"w{number}\tB-x\n\n" for number in range(7)), encoding="utf-8")
    card = small("conll", {"train": ["a.txt"], "dev": ["a.txt"]}, options={"hold_out": {"split": "dev", "every": 3}})
    words = {split: [e.words[0] for e in read(card, split, [path]).examples] for split in ("train", "dev")}
    assert words == {"train": ["w0", "w1", "w3", "w4", "w6"], "dev": ["w2", "w5"]}


def test_cached_files_are_named_by_their_source_too(tmp_path: Path) -> None:
    path = tmp_path / "0f3a"
    path.write_text("a\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"0f3a \(data/a\.txt\):1: 1 columns"):
        read(small("conll", {"test": ["data/a.txt"]}), "test", [path])


def test_unknown_reader_option_scheme_and_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"reader 'nope' is unknown; use one of conll"):
        read(small("nope", {"test": ["a.txt"]}), "test", [tmp_path / "a.txt"])
    with pytest.raises(InputError, match=r"option `colour` is unknown; known are"):
        read_raw(tmp_path, "conll", "a\tO\n", colour=1)
    with pytest.raises(InputError, match=r"`scheme` is 'bioes'; use one of bio, iob1, io"):
        read_raw(tmp_path, "conll", "a\tO\n", scheme="bioes")
    with pytest.raises(InputError, match=r"b\.txt: no such file; fetch"):
        read(small("conll", {"test": ["b.txt"]}), "test", [tmp_path / "b.txt"])
    with pytest.raises(InputError, match=r"names 1 source files but 0 were given"):
        read(small("conll", {"test": ["b.txt"]}), "test", [])


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("OtherPER", "other per"),
        ("timeRange", "time range"),
        ("HTML_XML_Tag", "html xml tag"),
        ("AI/ML/DL-focus", "ai ml dl focus"),
        ("HumanSettlement", "human settlement"),
    ],
)
def test_readable(tag: str, text: str) -> None:
    assert readable(tag) == text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"encoding": "utf-9"}, r"a\.txt: encoding 'utf-9' is unknown"),
        ({"encodings": "latin-1"}, r"option `encodings` is 'latin-1'; use a mapping"),
        ({"hold_out": {"every": 2}}, r"`hold_out` needs a `split` of the card"),
        ({"tag": 3}, r"a\.txt:1: 2 columns where 4 are expected"),
    ],
)
def test_option_faults(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_raw(tmp_path, "conll", "a\tO\n", **options)
