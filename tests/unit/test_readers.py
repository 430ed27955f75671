"""The readers of JSON, CSV and conversation corpora on hand-written files, and how they name a fault."""

import json
from pathlib import Path
from typing import Any

import pytest
from corpora_support import read_raw, spans

from benchmarks.corpora.formats import READERS
from gliner_core.errors import InputError

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
    reading = read_raw(tmp_path, "author_json", json.dumps(AUTHOR), known_unresolved={"test": 1})
    assert spans(reading.examples[0]) == [("New York", "location")]
    ((identity, item),) = reading.unresolved
    assert (identity, item.type, item.start, item.end) == ("tiny-test-000000", "program language", None, None)


def test_an_unknown_number_of_unresolved_entities_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"1 entities of split `test` end inside a word where 0 are known"):
        read_raw(tmp_path, "author_json", json.dumps(AUTHOR))


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
        read_raw(tmp_path, "author_json", json.dumps([{"sentence": "we are", "entities": [entity]}]))


def test_gliner_json_ends_are_inclusive(tmp_path: Path) -> None:
    text = json.dumps([{"tokenized_text": ["New", "York", "now"], "ner": [[0, 1, "city"], [0, 1, "city"]]}])
    assert spans(read_raw(tmp_path, "gliner_json", text).examples[0]) == [("New York", "city")]
    with pytest.raises(InputError, match=r"record 1: entity \[0, 3, 'x'\] lies outside its 3 words"):
        read_raw(tmp_path, "gliner_json", text.replace('[0, 1, "city"]', '[0, 3, "x"]'))


def test_jsonlines_nested_ends_are_exclusive(tmp_path: Path) -> None:
    mentions = [{"start": 0, "end": 2, "entity_type": "DNA"}, {"start": 1, "end": 2, "entity_type": "protein"}]
    line = json.dumps({"tokens": ["jun", "B", "gene"], "entity_mentions": mentions})
    reading = read_raw(tmp_path, "jsonlines_nested", line + "\n")
    assert spans(reading.examples[0]) == [("jun B", "DNA"), ("B", "protein")]
    with pytest.raises(InputError, match=r"a\.txt:2: not valid JSON"):
        read_raw(tmp_path, "jsonlines_nested", line + "\n{\n")


def test_own_jsonl_keeps_ids_and_negatives(tmp_path: Path) -> None:
    line = json.dumps({"id": "s1", "words": ["a"], "spans": [[0, 0, "x"]], "negatives": ["y"]})
    (example,) = read_raw(tmp_path, "jsonl", line + "\n").examples
    assert (example.id, example.negatives) == ("s1", ("y",))
    with pytest.raises(InputError, match=r"a\.txt:2: .*outside"):
        read_raw(tmp_path, "jsonl", line + "\n" + line.replace("[0, 0,", "[0, 5,"))


def test_snips_pieces_join_to_words(tmp_path: Path) -> None:
    pieces = [{"text": "play "}, {"text": "Caf\xe9 ", "entity": "album"}, {"text": ","}, {"text": "", "entity": "year"}]
    text = json.dumps({"PlayMusic": [{"data": pieces}]}, ensure_ascii=False).encode("latin-1")
    with pytest.raises(InputError, match=r"a\.txt: not utf-8 at byte \d+; name the file's encoding"):
        read_raw(tmp_path, "snips", text)
    (example,) = read_raw(tmp_path, "snips", text, encodings={"a.txt": "latin-1"}).examples
    assert example.words == ("play", "Caf\xe9", ",") and spans(example) == [("Caf\xe9", "album")]


def test_nlu_eval_brackets(tmp_path: Path) -> None:
    header = "answerid;scenario;intent;answer_annotation\n"
    text = header + '3;a;b;"wake me at [time : nine am] [date : today]"\n'
    (example,) = read_raw(tmp_path, "nlu_eval", text).examples
    assert example.id == "3"
    assert example.words == ("wake", "me", "at", "nine", "am", "today")
    assert spans(example) == [("nine am", "time"), ("today", "date")]
    with pytest.raises(InputError, match=r"a\.txt:2: unbalanced slot brackets"):
        read_raw(tmp_path, "nlu_eval", text.replace("am]", "am"))
    with pytest.raises(InputError, match=r"a\.txt:1: no column `answer_annotation`"):
        read_raw(tmp_path, "nlu_eval", text.replace("answer_annotation", "text"))
    with pytest.raises(InputError, match=r"a\.txt:3: not the 4 columns of the first line"):
        read_raw(tmp_path, "nlu_eval", text + "4;a;b\n")


def test_sgd_turns_and_skipped_services(tmp_path: Path) -> None:
    slot = {"slot": "city_of_event", "start": 6, "exclusive_end": 14}
    turns = [
        {"utterance": "I see San Jose.", "frames": [{"service": "Events_1", "slots": [slot, slot]}]},
        {"utterance": "A film there?", "frames": [{"service": "Movies_2", "slots": []}]},
    ]
    text = json.dumps([{"dialogue_id": "d1", "turns": turns}])
    reading = read_raw(tmp_path, "sgd", text)
    assert [example.id for example in reading.examples] == ["d1-0", "d1-1"]
    assert spans(reading.examples[0]) == [("San Jose", "city_of_event")]
    assert len(read_raw(tmp_path, "sgd", text, skip_services=["Movies"]).examples) == 1
    with pytest.raises(InputError, match=r"dialogue 1 turn 0: slot 'city_of_event' lies outside"):
        read_raw(tmp_path, "sgd", text.replace('"exclusive_end": 14', '"exclusive_end": 99'))


def _conversation(*answers: tuple[str, str]) -> str:
    turns = [{"from": "human", "value": "Text: Flu and FLU-A hit New York; new york has flu."}]
    turns.append({"from": "gpt", "value": "I've read this text."})
    for kind, answer in answers:
        turns.append({"from": "human", "value": f"What describes {kind} in the text?"})
        turns.append({"from": "gpt", "value": answer})
    return json.dumps([{"id": "p1", "conversations": turns}])


def test_pile_ner_hub_marks_every_whole_word_match_and_keeps_negatives(tmp_path: Path) -> None:
    text = _conversation(("disease", '["flu"]'), ("city", '["New York", "Rome"]'), ("drug", "[]"))
    (example,) = read_raw(tmp_path, "pile_ner_hub", text).examples
    assert spans(example) == [("Flu", "disease"), ("flu", "disease"), ("New York", "city"), ("new york", "city")]
    assert example.negatives == ("drug",) and example.id == "p1"


def test_pile_ner_hub_a_type_asked_twice_is_no_negative(tmp_path: Path) -> None:
    text = _conversation(("city", "[]"), ("city", '["new york"]'))
    (example,) = read_raw(tmp_path, "pile_ner_hub", text).examples
    assert example.negatives == () and len(example.spans) == 2


def test_pile_ner_hub_faults(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"record 1: the answer for 'disease' is not a JSON list"):
        read_raw(tmp_path, "pile_ner_hub", _conversation(("disease", "flu")))
    with pytest.raises(InputError, match=r"record 1: the first turn does not start with 'Text:'"):
        read_raw(tmp_path, "pile_ner_hub", _conversation().replace("Text: ", "Hello "))


@pytest.mark.parametrize("name", sorted(set(READERS) - {"conll", "jsonl"}))
def test_json_readers_name_a_file_that_is_something_else(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"a\.txt:"):
        read_raw(tmp_path, name, '"text"\n')
    with pytest.raises(InputError, match=r"a\.txt:"):
        read_raw(tmp_path, name, "[1]\n" if name != "nlu_eval" else 'answer_annotation\n"open')


def parquet(folder: Path, columns: dict[str, Any], names: list[str] | None = None) -> bytes:
    """Bytes of a parquet file as the hub stores them."""
    from datasets import ClassLabel, Dataset, Features, List, Value

    features = None
    if names is not None:
        features = Features({"tokens": List(Value("string")), "ner_tags": List(ClassLabel(names=names))})
    Dataset.from_dict(columns, features=features).to_parquet(folder / "made.parquet")
    return (folder / "made.parquet").read_bytes()


def test_parquet_reads_class_labels_from_the_file(tmp_path: Path) -> None:
    columns = {"tokens": [["in", "New", "York"], ["no", "city"]], "ner_tags": [[0, 1, 2], [0, 0]]}
    data = parquet(tmp_path, columns, ["O", "B-city", "I-city"])
    reading = read_raw(tmp_path, "parquet", data)
    assert [spans(example) for example in reading.examples] == [[("New York", "city")], []]


def test_parquet_takes_tag_names_and_columns_from_the_card(tmp_path: Path) -> None:
    data = parquet(tmp_path, {"words": [["New", "York"]], "tags": [[1, 2]]})
    options = {"tokens_column": "words", "tags_column": "tags"}
    reading = read_raw(tmp_path, "parquet", data, **options, tag_names=["O", "B-city", "I-city"])
    assert spans(reading.examples[0]) == [("New York", "city")]
    with pytest.raises(InputError, match=r"a\.txt:1: tag 1 has no name; give `tag_names`"):
        read_raw(tmp_path, "parquet", data, **options)
    with pytest.raises(InputError, match=r"column `tokens` is missing; set it in `options` \(the file has: words"):
        read_raw(tmp_path, "parquet", data)


def test_parquet_faults_are_named_and_said_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match=r"a\.txt: not a readable parquet file"):
        read_raw(tmp_path, "parquet", "no parquet")
    assert capfd.readouterr() == ("", "")
    uneven = parquet(tmp_path, {"tokens": [["a"], ["b", "c"]], "ner_tags": [["O"], ["O"]]})
    with pytest.raises(InputError, match=r"a\.txt:2: 2 words but 1 tags"):
        read_raw(tmp_path, "parquet", uneven)


def test_json_lines_of_words_and_tags(tmp_path: Path) -> None:
    named = json.dumps({"tokens": ["in", "New", "York"], "ner_tags": ["O", "B-city", "I-city"], "lang": "en"})
    reading = read_raw(tmp_path, "jsonl_tags", f"{named}\n\n{named}\n")
    assert [spans(example) for example in reading.examples] == [[("New York", "city")]] * 2
    numbered = json.dumps({"words": ["New", "York", "Rome"], "tags": [0, 1, 0]})
    options = {"tokens_column": "words", "tags_column": "tags", "tag_names": ["B-city", "I-city", "O"]}
    (example,) = read_raw(tmp_path, "jsonl_tags", numbered, **options).examples
    assert spans(example) == [("New York", "city"), ("Rome", "city")]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"tokens": ["a"], "ner_tags": [3]}, r"a\.txt:1: tag 3 has no name; give `tag_names`"),
        ({"tokens": ["a"], "ner_tags": [-1]}, r"a\.txt:1: tag -1 has no name"),
        ({"tokens": ["a", "b"], "ner_tags": [0]}, r"a\.txt:1: 2 words but 1 tags"),
        ({"tokens": ["a"]}, r"a\.txt:1: `ner_tags` is missing or not a list"),
        ({"tokens": [""], "ner_tags": [0]}, r"a\.txt:1: the words are not a filled list"),
    ],
)
def test_faults_of_json_lines_of_words_and_tags(tmp_path: Path, record: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_raw(tmp_path, "jsonl_tags", json.dumps(record), tag_names=["O"])
