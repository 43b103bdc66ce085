"""The models that the package brings, by the kind of input that they take."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from crossover.paths import sources


@dataclass(frozen=True, kw_only=True)
class PublishedModel:
    """A model that the package brings.

    Attributes:
        file: below the package's sources.
        documents: names of the files beside it that go with each copy; its licence requires it.
        samples: names of the files in `samples/` beside it that the demo shows.
    """

    file: str
    documents: tuple[str, ...]
    samples: tuple[str, ...]

    @property
    def path(self) -> Path:
        return sources() / self.file

    @property
    def document_paths(self) -> tuple[Path, ...]:
        return tuple(self.path.with_name(name) for name in self.documents)

    @property
    def sample_paths(self) -> list[Path]:
        return [self.path.parent / "samples" / name for name in self.samples]


MODELS: Mapping[str, PublishedModel] = {
    "audio": PublishedModel(
        file="model/model.onnx",
        documents=("MODEL_CARD.md", "LICENSE-YAMNET"),
        samples=("sense_and_sensibility_01_austen_64kb-0870.wav", "misc_crow.flac", "guit_em9.flac"),
    ),
    "image": PublishedModel(
        file="model/image/model.onnx",
        documents=("MODEL_CARD.md", "LICENSE-EFFICIENTNET-LITE"),
        samples=("coffee_turned.jpg", "camera.png", "china.jpg"),
    ),
}
DEFAULT = "audio"
MODEL_HELP = f"{' or '.join(MODELS)} for one that the package brings, or the path of an ONNX file with its contract"


def model_path(name: str) -> Path:
    """The path of a published model by its kind of input; any other name is a path."""
    return MODELS[name].path if name in MODELS else Path(name).absolute()
