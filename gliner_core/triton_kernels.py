"""The Triton kernels behind `triton_scorer.py`: hidden values of spans exist in registers only, forward and backward.

Letters: B batch, L words, K span width, C types, H = 4D inner width; a tile has R spans or words, BC types, BH columns
of H. Span (b, i, k) has the number (b * L + i) * K + k. Tensors are contiguous. No atomics: each output tile belongs to
one program that adds in a fixed order, so equal inputs give equal bits.
"""

import triton
import triton.language as tl


@triton.jit
def _survives(bits: tl.tensor, drop_below: tl.tensor) -> tl.tensor:
    return (bits >> 1).to(tl.int32) >= drop_below


@triton.jit
def _kept(seed: tl.tensor, drop_below: tl.tensor, spans: tl.tensor, column: tl.tensor, BH: tl.constexpr) -> tl.tensor:
    """Which hidden values [R, BH] survive dropout; one Philox call decides about four neighbour columns.

    A decision depends on seed, span number and column alone, whatever the tile. `drop_below` is the dropout
    probability times 2^31.
    """
    none = tl.zeros([spans.shape[0], BH // 4], tl.uint32)
    row = spans.to(tl.uint32)[:, None] + none  # [R, BH / 4]
    quad = (column // 4 + tl.arange(0, BH // 4)).to(tl.uint32)[None, :] + none  # [R, BH / 4]
    one, two, three, four = tl.philox(seed, quad, row, none, none)
    odd = tl.join(_survives(one, drop_below), _survives(three, drop_below))  # [R, BH / 4, 2]
    even = tl.join(_survives(two, drop_below), _survives(four, drop_below))  # [R, BH / 4, 2]
    return tl.reshape(
        tl.join(odd, even), [spans.shape[0], BH]
    )  # the last two axes of the join count the columns of a call


@triton.jit
def _scale(drop_below: tl.tensor, SUM: tl.constexpr) -> tl.tensor:
    """1 / (1 - p) with all digits of SUM: a float argument would arrive as fp32. 0 where everything is dropped."""
    kept = 2147483648 - drop_below.to(tl.int64)
    return tl.where(kept > 0, 2147483648.0 / tl.maximum(kept, 1).to(SUM), 0.0)


@triton.jit
def _tile(
    matrix: tl.tensor, rows: tl.tensor, inside: tl.tensor, columns: tl.tensor, num_columns: tl.tensor
) -> tl.tensor:
    """Rows x columns of a matrix; zeros in rows that are not inside and past the last column."""
    place = rows.to(tl.int64)[:, None] * num_columns + columns[None, :]  # 64 bits: no product of sizes overflows
    return tl.load(matrix + place, mask=inside[:, None] & (columns < num_columns)[None, :], other=0.0)


@triton.jit
def _hidden(
    start: tl.tensor,
    end: tl.tensor,
    text: tl.tensor,
    first: tl.tensor,
    width: tl.tensor,
    inside: tl.tensor,
    column: tl.tensor,
    seed: tl.tensor,
    drop_below: tl.tensor,
    L: tl.tensor,
    K: tl.tensor,
    H: tl.tensor,
    DROPOUT: tl.constexpr,
    BH: tl.constexpr,
    SUM: tl.constexpr,
) -> tl.tensor:
    """relu(start + end) of R spans [R, BH] without the scale of the dropout; zero where dropped or not inside."""
    columns = column + tl.arange(0, BH)
    word = text.to(tl.int64) * L + first
    total = _tile(start, word, inside, columns, H).to(SUM) + _tile(end, word + width, inside, columns, H).to(SUM)
    hidden = tl.maximum(total, 0.0)
    if DROPOUT:
        hidden = tl.where(_kept(seed, drop_below, (text * L + first) * K + width, column, BH), hidden, 0.0)
    return hidden


@triton.jit(do_not_specialize=["seed", "drop_below"])
def score_kernel(
    start: tl.tensor,
    end: tl.tensor,
    type_map: tl.tensor,
    type_bias: tl.tensor,
    num_words: tl.tensor,
    scores: tl.tensor,
    seed: tl.tensor,
    drop_below: tl.tensor,
    L: tl.tensor,
    K: tl.tensor,
    C: tl.tensor,
    H: tl.tensor,
    DROPOUT: tl.constexpr,
    R: tl.constexpr,
    BC: tl.constexpr,
    BH: tl.constexpr,
    SUM: tl.constexpr,
) -> None:
    """Scores of R neighbour spans against BC types; grid (spans, types, B). Invalid cells stay as they are."""
    text = tl.program_id(2)
    words = tl.minimum(tl.load(num_words + text), L)
    rows = tl.program_id(0) * R + tl.arange(0, R)
    if tl.program_id(0) * R >= words * K:
        return
    first, width = rows // K, rows % K
    inside = first + width < words
    types = tl.program_id(1) * BC + tl.arange(0, BC)
    known = types < C
    total = tl.zeros([R, BC], SUM)
    for column in range(0, H, BH):
        hidden = _hidden(start, end, text, first, width, inside, column, seed, drop_below, L, K, H, DROPOUT, BH, SUM)
        columns = column + tl.arange(0, BH)
        folded = _tile(type_map, text.to(tl.int64) * C + types, known, columns, H)  # [BC, BH]
        total = tl.dot(hidden.to(folded.dtype), tl.trans(folded), total, input_precision="ieee", out_dtype=SUM)
    bias = tl.load(type_bias + text * C + types, mask=known, other=0.0).to(SUM)
    place = (text.to(tl.int64) * L * K + rows)[:, None] * C + types[None, :]
    tl.store(scores + place, total * _scale(drop_below, SUM) + bias[None, :], mask=inside[:, None] & known[None, :])


@triton.jit(do_not_specialize=["seed", "drop_below"])
def word_gradient_kernel(
    start: tl.tensor,
    end: tl.tensor,
    type_map: tl.tensor,
    num_words: tl.tensor,
    gradient: tl.tensor,
    to_words: tl.tensor,
    seed: tl.tensor,
    drop_below: tl.tensor,
    L: tl.tensor,
    K: tl.tensor,
    C: tl.tensor,
    H: tl.tensor,
    AT_END: tl.constexpr,
    DROPOUT: tl.constexpr,
    R: tl.constexpr,
    BC: tl.constexpr,
    BH: tl.constexpr,
    SUM: tl.constexpr,
) -> None:
    """Gradient [R, BH] of the start (or end) parts of R words: the sum over their K spans; grid (words, columns, B)."""
    text = tl.program_id(2)
    words = tl.minimum(tl.load(num_words + text), L)
    rows = tl.program_id(0) * R + tl.arange(0, R)
    column = tl.program_id(1) * BH
    columns = column + tl.arange(0, BH)
    total = tl.zeros([R, BH], SUM)
    for width in range(0, tl.where(tl.program_id(0) * R < words, K, 0)):
        first = rows - width if AT_END else rows
        inside = (first >= 0) & (first + width < words)
        hidden = _hidden(start, end, text, first, width, inside, column, seed, drop_below, L, K, H, DROPOUT, BH, SUM)
        inner = tl.zeros([R, BH], SUM)
        for type_from in range(0, C, BC):
            types = type_from + tl.arange(0, BC)
            given = _tile(gradient, (text.to(tl.int64) * L + first) * K + width, inside, types, C)  # [R, BC]
            folded = _tile(type_map, text.to(tl.int64) * C + types, types < C, columns, H)  # [BC, BH]
            inner = tl.dot(given.to(folded.dtype), folded, inner, input_precision="ieee", out_dtype=SUM)
        total += tl.where(hidden > 0, inner, 0.0)  # positive where neither the ReLU nor the mask stopped it
    place = (text.to(tl.int64) * L + rows)[:, None] * H + columns[None, :]
    tl.store(to_words + place, total * _scale(drop_below, SUM), mask=(rows < L)[:, None] & (columns < H)[None, :])


@triton.jit(do_not_specialize=["seed", "drop_below"])
def type_gradient_kernel(
    start: tl.tensor,
    end: tl.tensor,
    num_words: tl.tensor,
    gradient: tl.tensor,
    partial: tl.tensor,
    seed: tl.tensor,
    drop_below: tl.tensor,
    L: tl.tensor,
    K: tl.tensor,
    C: tl.tensor,
    H: tl.tensor,
    PARTS: tl.constexpr,
    DROPOUT: tl.constexpr,
    R: tl.constexpr,
    BC: tl.constexpr,
    BH: tl.constexpr,
    SUM: tl.constexpr,
) -> None:
    """Gradient [BC, BH] of folded types over every PARTS-th tile of spans; grid (types, columns, B * PARTS)."""
    text, part = tl.program_id(2) // PARTS, tl.program_id(2) % PARTS
    words = tl.minimum(tl.load(num_words + text), L)
    types = tl.program_id(0) * BC + tl.arange(0, BC)
    column = tl.program_id(1) * BH
    total = tl.zeros([BC, BH], SUM)
    for row in range(part * R, words * K, PARTS * R):
        rows = row + tl.arange(0, R)
        first, width = rows // K, rows % K
        inside = first + width < words
        hidden = _hidden(start, end, text, first, width, inside, column, seed, drop_below, L, K, H, DROPOUT, BH, SUM)
        given = _tile(gradient, text.to(tl.int64) * L * K + rows, inside, types, C)  # [R, BC]
        low = start.dtype.element_ty
        total = tl.dot(tl.trans(given.to(low)), hidden.to(low), total, input_precision="ieee", out_dtype=SUM)
    columns = column + tl.arange(0, BH)
    place = (tl.program_id(2).to(tl.int64) * C + types)[:, None] * H + columns[None, :]
    tl.store(partial + place, total * _scale(drop_below, SUM), mask=(types < C)[:, None] & (columns < H)[None, :])
