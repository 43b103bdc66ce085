"""Measures model.onnx on the pictures of samples/ and prints the tables of MODEL_CARD.md.

    python model/in_own_environment.py \
        model/image/requirements.txt,lambda_src/requirements-inference.txt,lambda_src/requirements-image.txt \
        model/image/evaluate.py

The pictures go through the handlers' own decoding, with the versions that are deployed.
"""

import json
from pathlib import Path

import build_model
import numpy as np
import numpy.typing as npt

from inference.kinds import Decoded
from inference.model import Model

Scores = npt.NDArray[np.float32]

HERE = Path(__file__).resolve().parent
PICTURES = HERE / "samples"


def scores(model: Model, picture: Decoded) -> Scores:
    """float32 [1000]."""
    (result,) = model.run(picture.feeds)
    return np.asarray(result["scores"][0])


def print_labels(model: Model, labels: tuple[str, ...], pictures: dict[str, Decoded], expected: dict[str, str]) -> None:
    """For each picture the top labels and the rank of the label of what it shows."""
    print("| picture | shows | its rank | top three |\n|---|---|---|---|")
    ranks = []
    for name, picture in pictures.items():
        values = scores(model, picture)
        order = np.argsort(-values)
        ranks.append([labels[i] for i in order].index(expected[name]) + 1)
        top = ", ".join(f"{labels[i]} {values[i]:.2f}" for i in order[:3])
        print(f"| {name} | {expected[name]} | {ranks[-1]} | {top} |")
    for limit in (1, 5):
        found = sum(rank <= limit for rank in ranks)
        print(f"\nLabel of what it shows within the first {limit}: {found} of {len(ranks)}.")


def print_parity(model: Model, original: Model, pictures: dict[str, Decoded]) -> None:
    """How far the scores with int8 weights are from those with the original ones."""
    print("| picture | same top label | mean difference | largest |\n|---|---|---|---|")
    for name, picture in pictures.items():
        ours, theirs = scores(model, picture), scores(original, picture)
        same = "yes" if ours.argmax() == theirs.argmax() else "no"
        gap = np.abs(ours - theirs)
        print(f"| {name} | {same} | {gap.mean():.5f} | {gap.max():.3f} |")


def main() -> None:
    model = Model.load(HERE / "model.onnx")
    original = Model.load(build_model.build(keep_float=True).SerializeToString())
    labels = json.loads(model.session.get_modelmeta().custom_metadata_map["labels"])
    expected = json.loads((PICTURES / "expected_labels.json").read_text())
    kind = model.contract.input
    pictures = {name: kind.decode((PICTURES / name).read_bytes(), kind.limits()) for name in expected}
    print(f"{model.contract.name} {model.contract.version}, sha256 {model.sha256}\n")
    print_labels(model, labels, pictures, {name: labels["content"] for name, labels in expected.items()})
    print()
    print_parity(model, original, pictures)


if __name__ == "__main__":
    main()
