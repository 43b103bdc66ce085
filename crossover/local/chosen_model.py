"""The model that is deployed to the local AWS: the project's, or another that the command line names."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from crossover import project
from crossover.errors import UsageError
from crossover.inputs import input_files
from crossover.model.contract import ModelArtifactError, check_model
from crossover.published_models import MODELS, model_path


@dataclass(frozen=True, kw_only=True)
class ChosenModel:
    """A model to deploy, which was checked before anything is started.

    Attributes:
        kind: of input that it takes; empty where the project's app has its model from elsewhere than `model_path`.
        context: for the synth, over that of cdk.json.
    """

    kind: str
    context: Mapping[str, str]

    def files(self, named: Path | None) -> list[Path]:
        """The file or the files of the folder that was named; by default samples for a model of this kind.

        Raises:
            UsageError: it cannot be read or is of another kind, or none was named and there are no samples.
        """
        if named:
            return input_files([named], self.kind)
        if not self.kind:
            raise UsageError(
                f"The model of the project is not known here: its cdk.json names {project.model_path()}, which is not "
                "there; --file must name a file or a folder."
            )
        if self.kind not in MODELS:
            raise UsageError(f"There are no samples for a model that takes {self.kind}; --file must name a file.")
        return MODELS[self.kind].sample_paths


def choose_model(name: str) -> ChosenModel:
    """The model of this name: a published one or a path; the project's where the name is empty.

    Raises:
        UsageError: it cannot be served; all reasons are named.
        CrossoverError: there is no project, or its cdk.json cannot be read.
    """
    path = model_path(name) if name else project.model_path()
    if not name and not path.is_file():
        return ChosenModel(kind="", context={})
    try:
        checked = check_model(path)
    except ModelArtifactError as error:
        raise UsageError(str(error)) from None
    return ChosenModel(kind=checked.contract.input.kind, context={"model_path": str(path)} if name else {})
