"""The tokenizer of a release as a `tokenizer.json`: used directly, or assembled from the files of the slow tokenizer.

Published releases use GPT-2's byte-level BPE with added tokens: runs of spaces and tabs, `[PAD]` and `[SEG]`.
"""

from __future__ import annotations

import json
from pathlib import Path

from tokenizers import AddedToken, Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel

from segmenter.language.tokenizer import PAD, SEG
from segmenter.network.config import VocabularyConfig

_END = "<|endoftext|>"


def release_tokenizer(folder: Path, words: VocabularyConfig) -> Tokenizer:
    """Reads the release's tokenizer and checks it against the network's vocabulary.

    Raises FileNotFoundError if its files are missing, ValueError if ids or size differ.
    """
    ready = folder / "tokenizer.json"
    tokenizer = Tokenizer.from_file(str(ready)) if ready.is_file() else _from_parts(folder)
    if tokenizer.get_vocab_size() != words.size:
        raise ValueError(f"the tokenizer of {folder} has {tokenizer.get_vocab_size()} tokens; the network has {words.size}")
    for token, wanted in ((PAD, words.pad_id), (SEG, words.seg_id)):
        if tokenizer.token_to_id(token) != wanted:
            raise ValueError(f"{token} of {folder} has the id {tokenizer.token_to_id(token)}; the network has {wanted}")
    return tokenizer


def _from_parts(folder: Path) -> Tokenizer:
    vocabulary, merges, added = (folder / name for name in ("vocab.json", "merges.txt", "added_tokens.json"))
    if not vocabulary.is_file() or not merges.is_file():
        raise FileNotFoundError(f"{folder} has no tokenizer.json, and no vocab.json with merges.txt")
    tokenizer = Tokenizer(BPE.from_file(str(vocabulary), str(merges)))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = ByteLevelDecoder()
    tokenizer.add_special_tokens([AddedToken(_END, special=True, normalized=False)])
    tokens: dict[str, int] = json.loads(added.read_text(encoding="utf-8")) if added.is_file() else {}
    for token, number in sorted(tokens.items(), key=lambda pair: pair[1]):
        special = token == PAD
        tokenizer.add_tokens([AddedToken(token, special=special, normalized=False)])
        if tokenizer.token_to_id(token) != number:
            raise ValueError(f"{token!r} of {added} has the id {tokenizer.token_to_id(token)}; the file says {number}")
    return tokenizer
