"""What an image encoder of the EfficientNet-Lite kind is made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LiteStage:
    """So many inverted bottlenecks of one width; the first one has the stride."""

    expansion: int
    kernel: int
    stride: int
    channels: int
    repeats: int


#: EfficientNet-Lite0 (width and depth 1.0).
LITE0 = (
    LiteStage(1, 3, 1, 16, 1), LiteStage(6, 3, 2, 24, 2), LiteStage(6, 5, 2, 40, 2), LiteStage(6, 3, 2, 80, 3),
    LiteStage(6, 5, 1, 112, 3), LiteStage(6, 5, 2, 192, 4), LiteStage(6, 3, 1, 320, 1),
)  # fmt: skip


@dataclass(frozen=True)
class LiteConfig:
    """Encoder of the EfficientNet-Lite kind. Of each stride from 2 to 32 the last stage is an output."""

    stem: int = 32
    stages: tuple[LiteStage, ...] = LITE0

    def __post_init__(self) -> None:
        if [stage.stride for stage in self.stages].count(2) != 4 or self.stages[0].stride != 1:
            raise ValueError(f"vision.stages {self.stages} must begin at stride 1 and halve the map four times")

    @property
    def _last(self) -> tuple[int, ...]:
        """Numbers of the stages before each that halves the map, and of the last one."""
        halving = [number for number, stage in enumerate(self.stages) if stage.stride == 2]
        return (*(number - 1 for number in halving), len(self.stages) - 1)

    @property
    def ends(self) -> tuple[int, ...]:
        """Numbers of the blocks that give the maps of strides 2, 4, 8, 16 and 32."""
        blocks = [stage.repeats for stage in self.stages]
        return tuple(sum(blocks[: number + 1]) - 1 for number in self._last)

    @property
    def half(self) -> int:
        """Width of the map at stride 2."""
        return self.stages[self._last[0]].channels

    @property
    def dims(self) -> tuple[int, int, int, int]:
        """Widths of res2 .. res5."""
        res2, res3, res4, res5 = (self.stages[number].channels for number in self._last[1:])
        return res2, res3, res4, res5
