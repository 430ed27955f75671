"""Every reader on hand-written files: what it makes of them, and how it names a fault."""

import json
from pathlib import Path
from typing import Any

import pytest
from corpora_support import small

from benchmarks.corpora.formats import READERS, Reading, read, readable
from gliner_core.errors import InputError
from gliner_core.examples import Example, Span


def read_text(folder: Path, reader: str, text: str | bytes, name: str = "a.txt", **options: Any) -> Reading:
    """One file through a reader."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read(small(reader, {"test": [name]}, options=options), "test", [path])


def spans(example: Example) -> list[tuple[str, str]]:
    """Surface and type of every span."""
    return [(example.text(span), span.type) for span in example.spans]


def test_conll_plain(tmp_path: Path) -> None:
    reading = read_text(tmp_path, "conll", "EU\tB-org\nand\tO\nNew\tB-loc\nYork\tI-loc\n\n\nno\tO\n")
    first, second = reading.examples
    assert spans(first) == [("EU", "org"), ("New York", "loc")]
    assert (first.id, second.id) == ("tiny-test-000000", "tiny-test-000001")
    assert second.words == ("no",) and reading.lenient_openings == 0


def test_conll_tag_first_and_carriage_returns(tmp_path: Path) -> None:
    reading = read_text(tmp_path, "conll", "B-ACTOR\tbruce\r\nI-ACTOR\twillis\r\n\r\n", token=1, tag=0)
    assert spans(reading.examples[0]) == [("bruce willis", "ACTOR")]


def test_conll_lenient_openings_are_counted(tmp_path: Path) -> None:
    text = "a\tI-x\nb\tI-x\nc\tI-y\nd\tB-y\ne\tI-y\n\nf\tO\ng\tI-y\n"
    reading = read_text(tmp_path, "conll", text)
    assert [spans(example) for example in reading.examples] == [[("a b", "x"), ("c", "y"), ("d e", "y")], [("g", "y")]]
    assert reading.lenient_openings == 3


def test_conll_iob1_opens_with_i_and_b_parts_neighbours(tmp_path: Path) -> None:
    reading = read_text(tmp_path, "conll", "a I-x\nb I-x\nc B-x\nd I-y\n", separator="space", scheme="iob1")
    assert spans(reading.examples[0]) == [("a b", "x"), ("c", "x"), ("d", "y")]
    assert reading.lenient_openings == 0


def test_conll_io_has_bare_types(tmp_path: Path) -> None:
    reading = read_text(tmp_path, "conll", "a\tB-x/y\nb\tB-x/y\nc\tO\n", scheme="io")
    assert spans(reading.examples[0]) == [("a b", "B-x/y")]


def test_conll_ids_comments_and_hash_words(tmp_path: Path) -> None:
    text = "\n# id 7f-2\tdomain=en\n# _ _ B-L\nc _ _ I-L\n\n# id 7f-3\tdomain=en\nd _ _ O\n"
    reading = read_text(tmp_path, "conll", text, separator="space", tag=3, id_comment="# id")
    assert [example.id for example in reading.examples] == ["7f-2", "7f-3"]
    assert spans(reading.examples[0]) == [("# c", "L")]


def test_conll_types_with_spaces_and_odd_line_ends(tmp_path: Path) -> None:
    reading = read_text(tmp_path, "conll", "flu\u2028x\tB-medical condition\n\x85\tI-medical condition\n")
    assert reading.examples[0].words == ("flu\u2028x", "\x85")
    assert reading.examples[0].spans == (Span(0, 1, "medical condition"),)


def test_conll_docstart_single_tab_breaks_and_markup_sentences(tmp_path: Path) -> None:
    text = "-DOCSTART-\tO\n\nQ_ID\tO\n:\tO\n\t\nuse\tO\nnumpy\tB-lib\n\t\n"
    reading = read_text(tmp_path, "conll", text, docstart=True, skip_starting=["Q_ID"])
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
        read_text(tmp_path, "conll", text)
    assert "\n" not in str(error.value)


AUTHOR = [
    {
        "sentence": "we are in New York now",
        "entities": [
            {"name": "New York", "type": "location", "pos": [10, 18]},
            {"name": "r", "type": "program language", "pos": [4, 5]},
        ],
    }
]


def test_author_json_counts_what_falls_inside_a_word(tmp_path: Path) -> None:
    reading = read_text(tmp_path, "author_json", json.dumps(AUTHOR), known_unresolved={"test": 1})
    assert spans(reading.examples[0]) == [("New York", "location")]
    ((identity, item),) = reading.unresolved
    assert (identity, item.type, item.start, item.end) == ("tiny-test-000000", "program language", None, None)


def test_an_unknown_number_of_unresolved_entities_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"1 entities of split `test` end inside a word where 0 are known"):
        read_text(tmp_path, "author_json", json.dumps(AUTHOR))


@pytest.mark.parametrize(
    ("entity", "message"),
    [
        ({"name": "we", "type": "x", "pos": [0, 99]}, r"a\.txt:record 1: entity 'we' lies outside"),
        ({"name": "we", "type": "x", "pos": [1, 3]}, r"record 1: `pos` of 'we' points at 'e '"),
        ({"name": "we", "type": "x", "pos": [1]}, r"record 1: `pos` \[1\] is not"),
        ({"name": "we", "pos": [0, 2]}, r"record 1: `type` is missing"),
    ],
)
def test_author_json_faults(tmp_path: Path, entity: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_text(tmp_path, "author_json", json.dumps([{"sentence": "we are", "entities": [entity]}]))


def test_gliner_json_ends_are_inclusive(tmp_path: Path) -> None:
    text = json.dumps([{"tokenized_text": ["New", "York", "now"], "ner": [[0, 1, "city"], [0, 1, "city"]]}])
    assert spans(read_text(tmp_path, "gliner_json", text).examples[0]) == [("New York", "city")]
    with pytest.raises(InputError, match=r"record 1: entity \[0, 3, 'x'\] lies outside its 3 words"):
        read_text(tmp_path, "gliner_json", text.replace('[0, 1, "city"]', '[0, 3, "x"]'))


def test_jsonlines_nested_ends_are_exclusive(tmp_path: Path) -> None:
    mentions = [{"start": 0, "end": 2, "entity_type": "DNA"}, {"start": 1, "end": 2, "entity_type": "protein"}]
    line = json.dumps({"tokens": ["jun", "B", "gene"], "entity_mentions": mentions})
    reading = read_text(tmp_path, "jsonlines_nested", line + "\n")
    assert spans(reading.examples[0]) == [("jun B", "DNA"), ("B", "protein")]
    with pytest.raises(InputError, match=r"a\.txt:2: not valid JSON"):
        read_text(tmp_path, "jsonlines_nested", line + "\n{\n")


def test_own_jsonl_keeps_ids_and_negatives(tmp_path: Path) -> None:
    line = json.dumps({"id": "s1", "words": ["a"], "spans": [[0, 0, "x"]], "negatives": ["y"]})
    (example,) = read_text(tmp_path, "jsonl", line + "\n").examples
    assert (example.id, example.negatives) == ("s1", ("y",))
    with pytest.raises(InputError, match=r"a\.txt:2: .*outside"):
        read_text(tmp_path, "jsonl", line + "\n" + line.replace("[0, 0,", "[0, 5,"))


def test_snips_pieces_join_to_words(tmp_path: Path) -> None:
    pieces = [{"text": "play "}, {"text": "Caf\xe9 ", "entity": "album"}, {"text": ","}, {"text": "", "entity": "year"}]
    text = json.dumps({"PlayMusic": [{"data": pieces}]}, ensure_ascii=False).encode("latin-1")
    with pytest.raises(InputError, match=r"a\.txt: not utf-8 at byte \d+; name the file's encoding"):
        read_text(tmp_path, "snips", text)
    (example,) = read_text(tmp_path, "snips", text, encodings={"a.txt": "latin-1"}).examples
    assert example.words == ("play", "Caf\xe9", ",") and spans(example) == [("Caf\xe9", "album")]


def test_nlu_eval_brackets(tmp_path: Path) -> None:
    header = "answerid;scenario;intent;answer_annotation\n"
    text = header + '3;a;b;"wake me at [time : nine am] [date : today]"\n'
    (example,) = read_text(tmp_path, "nlu_eval", text).examples
    assert example.id == "3"
    assert example.words == ("wake", "me", "at", "nine", "am", "today")
    assert spans(example) == [("nine am", "time"), ("today", "date")]
    with pytest.raises(InputError, match=r"a\.txt:2: unbalanced slot brackets"):
        read_text(tmp_path, "nlu_eval", text.replace("am]", "am"))
    with pytest.raises(InputError, match=r"a\.txt:2: no column `answer_annotation`"):
        read_text(tmp_path, "nlu_eval", text.replace("answer_annotation", "text"))


def test_sgd_turns_and_skipped_services(tmp_path: Path) -> None:
    slot = {"slot": "city_of_event", "start": 6, "exclusive_end": 14}
    turns = [
        {"utterance": "I see San Jose.", "frames": [{"service": "Events_1", "slots": [slot, slot]}]},
        {"utterance": "A film there?", "frames": [{"service": "Movies_2", "slots": []}]},
    ]
    text = json.dumps([{"dialogue_id": "d1", "turns": turns}])
    reading = read_text(tmp_path, "sgd", text)
    assert [example.id for example in reading.examples] == ["d1-0", "d1-1"]
    assert spans(reading.examples[0]) == [("San Jose", "city_of_event")]
    assert len(read_text(tmp_path, "sgd", text, skip_services=["Movies"]).examples) == 1
    with pytest.raises(InputError, match=r"dialogue 1 turn 0: slot 'city_of_event' lies outside"):
        read_text(tmp_path, "sgd", text.replace('"exclusive_end": 14', '"exclusive_end": 99'))


def _conversation(*answers: tuple[str, str]) -> str:
    turns = [{"from": "human", "value": "Text: Flu and FLU-A hit New York; new york has flu."}]
    turns.append({"from": "gpt", "value": "I've read this text."})
    for kind, answer in answers:
        turns.append({"from": "human", "value": f"What describes {kind} in the text?"})
        turns.append({"from": "gpt", "value": answer})
    return json.dumps([{"id": "p1", "conversations": turns}])


def test_pile_ner_hub_marks_every_whole_word_match_and_keeps_negatives(tmp_path: Path) -> None:
    text = _conversation(("disease", '["flu"]'), ("city", '["New York", "Rome"]'), ("drug", "[]"))
    (example,) = read_text(tmp_path, "pile_ner_hub", text).examples
    assert spans(example) == [("Flu", "disease"), ("flu", "disease"), ("New York", "city"), ("new york", "city")]
    assert example.negatives == ("drug",) and example.id == "p1"


def test_pile_ner_hub_faults(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"record 1: the answer for 'disease' is not a JSON list"):
        read_text(tmp_path, "pile_ner_hub", _conversation(("disease", "flu")))
    with pytest.raises(InputError, match=r"record 1: the first turn does not start with 'Text:'"):
        read_text(tmp_path, "pile_ner_hub", _conversation().replace("Text: ", "Hello "))


def test_repeated_ids_are_renamed_or_dropped(tmp_path: Path) -> None:
    text = "".join(f"# id same\n{word}\tB-x\n\n" for word in "abc")
    renamed = read_text(tmp_path, "conll", text, id_comment="# id")
    assert [example.id for example in renamed.examples] == ["same", "same~2", "same~3"]
    dropped = read_text(tmp_path, "conll", text, id_comment="# id", repeated_ids="drop")
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
    with pytest.raises(InputError, match=r"option `colour` is unknown; reader conll knows"):
        read_text(tmp_path, "conll", "a\tO\n", colour=1)
    with pytest.raises(InputError, match=r"scheme 'bioes' is unknown"):
        read_text(tmp_path, "conll", "a\tO\n", scheme="bioes")
    with pytest.raises(InputError, match=r"b\.txt: no such file; fetch"):
        read(small("conll", {"test": ["b.txt"]}), "test", [tmp_path / "b.txt"])
    with pytest.raises(InputError, match=r"names 1 source files but 0 were given"):
        read(small("conll", {"test": ["b.txt"]}), "test", [])


@pytest.mark.parametrize("name", sorted(set(READERS) - {"conll", "jsonl"}))
def test_json_readers_name_a_file_that_is_something_else(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"a\.txt:"):
        read_text(tmp_path, name, '"text"\n')
    with pytest.raises(InputError, match=r"a\.txt:"):
        read_text(tmp_path, name, "[1]\n" if name != "nlu_eval" else 'answer_annotation\n"open')


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
        ({"encodings": "latin-1"}, r"option `encodings` is not a dict"),
        ({"hold_out": {"every": 2}}, r"`hold_out` needs a `split` of the card"),
        ({"tag": 3}, r"a\.txt:1: 2 columns where 4 are expected"),
    ],
)
def test_option_faults(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_text(tmp_path, "conll", "a\tO\n", **options)
