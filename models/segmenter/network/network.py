"""SegEarth-R1: an image window and questions in, one mask per question out, in three steps.

`encode_image` runs once per window, `describe` computes one description embedding per question with the image as
context, `segment` computes a mask from each embedding. Li et al. 2025, "SegEarth-R1: Geospatial Pixel Reasoning via Large
Language Model", arXiv 2504.09644. Parameters are named as in the published checkpoint.

Letters in shapes: B images, N questions (each of one image), R tokens of the longest question, H language width,
T image tokens, S window side in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from segmenter.network.config import PIXEL_MEAN, PIXEL_STD, ModelConfig, PyramidConfig, Task
from segmenter.network.connector import Connector
from segmenter.network.description_projector import DescriptionProjector, row_major
from segmenter.network.initialise import initialise
from segmenter.network.language_model import KeyValues, LanguageModel
from segmenter.network.lite_config import LiteConfig
from segmenter.network.lite_encoder import LiteEncoder
from segmenter.network.mask_generator import MaskGenerator
from segmenter.network.pixel_decoder import PixelDecoder
from segmenter.network.pyramid_decoder import PyramidDecoder
from segmenter.network.vision_encoder import VisionEncoder


@dataclass(frozen=True)
class ImageState:
    """State of a batch of B windows for the later steps."""

    features: list[Tensor]  # res2..res5, [B, C, S/4, S/4] .. [B, 8C, S/32, S/32]
    image_tokens: Tensor  # [B, T, H]
    mask_features: Tensor  # [B, dim, S/4, S/4]
    ms: list[Tensor]  # ms0, ms1, ms2: [B, dim, S/32, S/32], [.., S/16, S/16], [.., S/8, S/8]
    window: Tensor | None = None  # what presence reads of the whole window, [B, image_presence]


def normalise(pixels: Tensor) -> Tensor:
    """RGB [B, S, S, 3], uint8 or float in 0..255, to the network's input [B, 3, S, S] float32."""
    mean = torch.tensor(PIXEL_MEAN, device=pixels.device)
    std = torch.tensor(PIXEL_STD, device=pixels.device)
    return ((pixels.float() - mean) / std).permute(0, 3, 1, 2)


class SeeingLanguageModel(LanguageModel):
    """The language model with vision encoder and connector, nested as in the published checkpoint."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config.language, config.vocabulary.size)
        self.vision_tower = encoder_of(config)
        self.mm_projector = Connector(config.vision.dims[3], config.language.hidden, config.side(3))


def encoder_of(config: ModelConfig) -> VisionEncoder | LiteEncoder:
    """The configuration's image encoder; its last four maps are res2 .. res5."""
    vision = config.vision
    return LiteEncoder(vision) if isinstance(vision, LiteConfig) else VisionEncoder(vision, config.window_px)


def decoder_of(config: ModelConfig) -> PixelDecoder | PyramidDecoder:
    """The configuration's pixel decoder, which reads all maps of the encoder."""
    decoder, vision = config.pixel_decoder, config.vision
    if isinstance(decoder, PyramidConfig):
        assert isinstance(vision, LiteConfig)
        return PyramidDecoder(decoder, vision)
    return PixelDecoder(config, decoder)


class SegEarthR1(nn.Module):
    """The network of a configuration, freshly initialised."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        hidden, deepest, projector = config.language.hidden, config.vision.dims[3], config.projector
        if config.published_layout:  # unused tensors of the published checkpoint
            self.seg_query = nn.Parameter(torch.zeros(100, hidden))
            self.lm_head = nn.Linear(hidden, config.vocabulary.size, bias=False)
        self.model = SeeingLanguageModel(config)
        self.text_projector = nn.Linear(hidden, projector.dim)
        self.origin_SEG_token_projector = nn.Linear(hidden, projector.dim)
        self.local_project = nn.Linear(deepest, projector.dim)
        self.SEG_token_projector = nn.Linear(2 * projector.dim, config.pixel_decoder.dim)
        self.d_layers = DescriptionProjector(projector)
        self.pixel_decoder = decoder_of(config)
        self.predictor = MaskGenerator(config)
        initialise(self)

    def encode_image(self, image: Tensor) -> ImageState:
        """Image [B, 3, S, S] float32 as :func:`normalise` makes it."""
        side = self.config.window_px
        if image.ndim != 4 or tuple(image.shape[1:]) != (3, side, side):
            raise ValueError(f"image has shape {tuple(image.shape)}; the network takes [B, 3, {side}, {side}]")
        maps = self.model.vision_tower(image)
        mask_features, ms = self.pixel_decoder(maps)
        features = maps[-4:]
        return ImageState(features, self.model.mm_projector(features[3]), mask_features, ms, self.predictor.window(features[3]))

    def describe(self, state: ImageState, image_index: Tensor, task: Task, question_ids: Tensor, question_mask: Tensor) -> Tensor:
        """Description embeddings [N, H]: the mean hidden state of each question's tokens, with the image as context.

        image_index [N] int64 picks each question's image; question_ids [N, R] int64 end in `[SEG]` and are padded on
        the right, where question_mask [N, R] is 0. The prefix runs once per image.
        """
        self._check_questions(question_ids, question_mask)
        past = self.prefix(state.image_tokens, task)
        return self.describe_after(past.select(image_index), self.model.embed_tokens(question_ids), question_mask)

    def describe_text(self, ids: Tensor, mask: Tensor, task: Task = "REASONING") -> Tensor:
        """Description embeddings [N, H] without an image: the prefix is only the prompt's text."""
        self._check_questions(ids, mask)
        empty = torch.zeros(1, 0, self.config.language.hidden, device=ids.device)
        return self.describe_after(self.prefix(empty, task), self.model.embed_tokens(ids), mask)

    def prefix(self, image_tokens: Tensor, task: Task) -> KeyValues:
        """Keys and values of the fixed prompt around image tokens [B, T, H]."""
        words = self.config.vocabulary
        before, after = (
            self.model.embed_tokens(torch.tensor(ids, dtype=torch.int64, device=image_tokens.device))
            for ids in (words.before_image, words.after_image[task])
        )
        batch = image_tokens.shape[0]
        embedded = torch.cat((before.expand(batch, -1, -1), image_tokens, after.expand(batch, -1, -1)), 1)
        return self.model(embedded)[1]

    def describe_after(self, past: KeyValues | None, embedded: Tensor, mask: Tensor) -> Tensor:
        """Mean of the hidden states selected by `mask` [N, R], for embedded questions [N, R, H] after `past`."""
        return masked_mean(self.model(embedded, past)[0], mask)

    def segment(
        self, state: ImageState, image_index: Tensor, description: Tensor, every_stage: bool = True
    ) -> tuple[list[Tensor], Tensor | None]:
        """Masks of descriptions [N, H] over the images image_index [N].

        Returns the mask logits [N, S/4, S/4] before the first layer and after each (or the last alone) and, if the
        network has them, the presence logits [N]. The service's logits combine the two: `mask_generator.joined_logits`.
        """
        images = state.mask_features.shape[0]
        slot, width = question_slots(image_index, images)
        dense = description.new_zeros(images, width, description.shape[1]).index_put((image_index, slot), description)
        query = self.query(dense, *self.media(state.features[3]))
        memory = self.predictor.memory(state.ms)
        prediction = self.predictor(query, state.mask_features, memory, every_stage, state.window)
        presence = prediction.presence
        return (
            [stage[image_index, slot] for stage in prediction.logits],
            None if presence is None else presence[image_index, slot],
        )

    def media(self, res5: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values [B, heads, cells, head_dim] of an image for the D-Projector."""
        return self.d_layers.attention.media(self.local_project(row_major(res5)))

    def query(self, description: Tensor, media_keys: Tensor, media_values: Tensor) -> Tensor:
        """Mask queries [B, Q, dim] of descriptions [B, Q, H]."""
        seen = self.d_layers(self.text_projector(description), media_keys, media_values)
        return self.SEG_token_projector(torch.cat((self.origin_SEG_token_projector(description), seen), -1))

    def _check_questions(self, ids: Tensor, mask: Tensor) -> None:
        if ids.ndim != 2 or ids.shape != mask.shape:
            raise ValueError(f"question ids {tuple(ids.shape)} and mask {tuple(mask.shape)} must both be [N, R]")
        if ids.shape[1] > self.config.max_question_tokens:
            raise ValueError(f"a question has {ids.shape[1]} tokens; the maximum is {self.config.max_question_tokens}")


def masked_mean(rows: Tensor, mask: Tensor) -> Tensor:
    """Mean over the rows [N, R, H] selected by `mask` [N, R]: [N, H]; `mask` selects at least one row per question."""
    weight = mask.to(rows.dtype).unsqueeze(-1)
    return (rows * weight).sum(1) / weight.sum(1)


def question_slots(image_index: Tensor, images: int) -> tuple[Tensor, int]:
    """Rank of each question among those of its image, int64 [N], and the number of questions of the fullest image.

    Questions of one image are then adjacent in a dense [images, width, ...] tensor and share keys and values.
    """
    counts = torch.bincount(image_index, minlength=images)
    if counts.shape[0] > images:
        raise ValueError(f"image_index has the value {int(image_index.max())}; the state has {images} images")
    order = torch.argsort(image_index, stable=True)
    starts = counts.cumsum(0) - counts
    slot = torch.empty_like(image_index)
    slot[order] = torch.arange(image_index.shape[0], device=image_index.device) - starts[image_index[order]]
    return slot, int(counts.max())
