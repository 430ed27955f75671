"""A small tokenizer of each family that backbones come with, trained here on a few words."""

from collections.abc import Callable

from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from gliner_core.prompt import ENT, FLERT, SEP

TEXT = (
    "Anna visited S\u00e3o Paulo and the antidisestablishment of unbelievably large rivers , she left Oslo in 1942 .",
    "\u65e5\u672c\u8a9e \u4e2d\u6587 \u043c\u043e\u0441\u043a\u0432\u0430 caf\u00e9 na\u00efve visiting visited visits",
)
SPECIAL = ("<pad>", "<unk>", "<s>", "</s>")


def _trained(model: models.Model, trainer: trainers.Trainer, normalizer: object, splitter: object) -> Tokenizer:
    tokenizer = Tokenizer(model)
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = splitter
    tokenizer.train_from_iterator(TEXT * 4, trainer)
    return tokenizer


def _wrapped(tokenizer: Tokenizer) -> PreTrainedTokenizerBase:
    names = dict(zip(("pad_token", "unk_token", "bos_token", "eos_token"), SPECIAL, strict=True))
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, cls_token="<s>", sep_token="</s>", **names)
    # As deberta-v3 stores it: a mask token that swallows the space before it.
    wrapped.add_tokens([AddedToken("[MASK]", lstrip=True, special=True)], special_tokens=True)
    wrapped.add_tokens([FLERT, ENT, SEP], special_tokens=True)
    return wrapped


def word_piece() -> PreTrainedTokenizerBase:
    """BERT: lower case, accents stripped, control characters removed, punctuation and Chinese characters apart."""
    trainer = trainers.WordPieceTrainer(vocab_size=300, special_tokens=list(SPECIAL), show_progress=False)
    model = models.WordPiece(unk_token="<unk>")
    splitter = pre_tokenizers.BertPreTokenizer()
    tokenizer = _trained(model, trainer, normalizers.BertNormalizer(lowercase=True), splitter)
    ends = ((token, tokenizer.token_to_id(token)) for token in ("</s>", "<s>"))
    tokenizer.post_processor = processors.BertProcessing(*ends)
    return _wrapped(tokenizer)


def deberta() -> PreTrainedTokenizerBase:
    """DeBERTa-v2 and v3: sentencepiece Unigram, NFC, a space before every word."""
    spaces = normalizers.Replace(Regex(r"\s{2,}|[\n\r\t]"), " ")
    normalizer = normalizers.Sequence([spaces, normalizers.NFC(), normalizers.Strip(left=False, right=True)])
    return _unigram(normalizer, pre_tokenizers.Metaspace(prepend_scheme="always"), "<s> $A </s>")


def xlm_roberta() -> PreTrainedTokenizerBase:
    """XLM-R: Unigram, NFKC, text split at white space; here with two tokens before the text and none behind it."""
    splitter = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    return _unigram(normalizers.NFKC(), splitter, "<s> </s> $A")


def _unigram(normalizer: object, splitter: object, template: str) -> PreTrainedTokenizerBase:
    trainer = trainers.UnigramTrainer(
        vocab_size=160, special_tokens=list(SPECIAL), unk_token="<unk>", show_progress=False
    )
    tokenizer = _trained(models.Unigram(), trainer, normalizer, splitter)
    ids = [(token, tokenizer.token_to_id(token)) for token in ("<s>", "</s>")]
    tokenizer.post_processor = processors.TemplateProcessing(single=template, pair=f"{template} $B", special_tokens=ids)
    return _wrapped(tokenizer)


def roberta(dropout: float | None = None) -> PreTrainedTokenizerBase:
    """RoBERTa: byte-level BPE with a space before every word."""
    trainer = trainers.BpeTrainer(
        vocab_size=330,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer = _trained(models.BPE(dropout=dropout), trainer, None, pre_tokenizers.ByteLevel(add_prefix_space=True))
    ends = ((token, tokenizer.token_to_id(token)) for token in ("</s>", "<s>"))
    tokenizer.post_processor = processors.RobertaProcessing(*ends)
    return _wrapped(tokenizer)


FAMILIES: dict[str, Callable[[], PreTrainedTokenizerBase]] = {
    "word piece": word_piece,
    "deberta": deberta,
    "xlm-roberta": xlm_roberta,
    "roberta": roberta,
}
