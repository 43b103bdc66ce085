"""What a kind of input and a kind of output are: all that the rest knows of either.

A kind of input turns a file into what the graph takes; a kind of output turns what the graph gives into the item.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

from .limits import Limits

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Tensor(Protocol):
    """An input or output of the graph, as onnxruntime's NodeArg describes it."""

    @property
    def name(self) -> str: ...

    @property
    def type(self) -> str:
        """Such as `tensor(float)`."""

    @property
    def shape(self) -> Sequence[int | str | None]:
        """A size that the graph leaves open is a name or None."""


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where a picture lies in the model's input: x there is `x * scale_x + left`, y is `y * scale_y + top`.

    Attributes:
        width, height: of the picture as it is looked at (upright), pixels.
        scale_x, scale_y: pixels of the input for one of the picture.
        left, top: pixels of the input; negative where the picture is cropped.
        input_width, input_height: of the input, pixels.
    """

    width: int
    height: int
    scale_x: float
    scale_y: float
    left: float
    top: float
    input_width: int
    input_height: int


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """A file as the graph takes it.

    Attributes:
        feeds: what the graph runs on, one after the other: arrays by the input's name, in the graph's shape and type.
            More than one only where the file is cut into windows.
        facts: about the file, for its item.
        join: how the scores of several feeds become one: "mean" or "max".
        placement: of a picture.
    """

    feeds: "Sequence[Mapping[str, NDArray[Any]]]"
    facts: Mapping[str, float]
    join: str = "mean"
    placement: Placement | None = None


@dataclass(frozen=True, kw_only=True)
class ResultFile:
    """A result that does not fit an item.

    Attributes:
        suffix: of its name, such as `.npz`.
        media_type: such as `image/png`.
        content: its bytes, the same for the same result.
        reason: why it does not fit; completes "The result ...".
    """

    suffix: str
    media_type: str
    content: bytes
    reason: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the model gave for a file.

    Attributes:
        values: for the item, ready for JSON.
        file: what does not fit it.
    """

    values: Mapping[str, Any]
    file: ResultFile | None = None


@dataclass(frozen=True, kw_only=True)
class Trial:
    """An input on which a model is tried before it is deployed.

    Attributes:
        what: completes "The model fails on ...".
        decoded: the input.
        usual: whether a model that fails on it is refused; else it is only warned of.
    """

    what: str
    decoded: Decoded
    usual: bool


class InputKind(Protocol):
    """What a model takes: a class for each kind, an instance for each model.

    Its file needs nothing but the standard library to be imported; decoders are imported by `prepare`.

    Attributes:
        kind: its name in the model's metadata.
        fields: of the metadata, that it reads.
        suffixes: of files' names, lower case.
        media_types: how they begin, such as `audio/`.
        packages: that only this kind imports, some of them while it decodes.
        limits: the class of its limits.
    """

    kind: ClassVar[str]
    fields: ClassVar[tuple[str, ...]]
    suffixes: ClassVar[tuple[str, ...]]
    media_types: ClassVar[tuple[str, ...]]
    packages: ClassVar[tuple[str, ...]]
    limits: ClassVar[type[Limits]]

    @classmethod
    def read(cls, metadata: Mapping[str, str], inputs: Sequence[Tensor], faults: list[str]) -> Self | None:
        """Read what the model declares.

        Args:
            inputs: of the graph, but for states and constants.
            faults: gets a clause for each fault, such as "its size is '0', but must be ..."; None is returned then.
        """

    @staticmethod
    def prepare() -> None:
        """Import the decoders, but for what few files need."""

    def decode(self, data: bytes, limits: Any) -> Decoded:
        """Decode a file.

        Args:
            limits: an instance of the class `limits`.

        Raises:
            InputError: the bytes can never give a prediction.
        """

    def samples(self) -> Sequence[bytes]:
        """Small files of this kind, one for each decoder; the model can be run on the last."""

    def trials(self) -> Iterator[Trial]:
        """Inputs on which models fail if they do, without any decoder."""


class OutputKind(Protocol):
    """What a model gives: a class for each kind, an instance for each model.

    Attributes:
        kind: its name in the model's metadata.
        fields: of the metadata, that it reads.
        stores_files: whether an outcome may have a file.
        names: the outputs of the graph that it needs.
    """

    kind: ClassVar[str]
    fields: ClassVar[tuple[str, ...]]
    stores_files: ClassVar[bool]

    @property
    def names(self) -> tuple[str, ...]: ...

    @classmethod
    def read(
        cls, metadata: Mapping[str, str], outputs: Sequence[Tensor], faults: list[str], input_kind: str
    ) -> Self | None:
        """Read what the model declares.

        Args:
            outputs: of the graph, but for states.
            faults: gets a clause for each fault; None is returned then.
            input_kind: name of the kind of its input.
        """

    def outcome(self, results: Sequence[Mapping[str, Any]], decoded: Decoded) -> Outcome:
        """Turn what the graph gave into what is stored.

        Args:
            results: the outputs by name, for each of the feeds.

        Raises:
            InputError: it is not finite, or of no use for another reason that no retry can change.
        """
