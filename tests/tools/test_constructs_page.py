"""The page of the constructs' API says what docstrings and signatures say."""

from types import ModuleType

from constructs import Construct

from tools.constructs_page import markdown


class Bucket(Construct):
    """Keeps files.

    Benefit: nothing is lost,
    ever.
    Cost, a month: 1 USD.
    """

    def __init__(self, scope: Construct, construct_id: str, *, size: int | None = 3) -> None:
        """Create it.

        Args:
            size: of the bucket,
                in GB.

        Raises:
            ValueError: it is too large.
        """
        super().__init__(scope, construct_id)
        self.size, self._hidden = size, 1

    def grant(self, grantee: str) -> None:
        """Allow it.

        And more.
        """


class PlainConstruct(Construct):
    """Without arguments of its own."""


def page(**names: object) -> str:
    module = ModuleType("made_up")
    module.__dict__.update(names, __all__=list(names))
    return markdown(module)


def test_a_construct_has_its_docstring_signature_arguments_attributes_and_methods() -> None:
    assert (
        page(Bucket=Bucket)
        == """## Constructs

### Bucket

Keeps files.

*Benefit:* nothing is lost,
ever.

*Cost, a month:* 1 USD.

```python
Bucket(
    scope: Construct,
    construct_id: str,
    *,
    size: int | None = 3,
)
```

Create it.

Args:

- `size`: of the bucket, in GB.

Raises:

- `ValueError`: it is too large.

Attributes: `size`.

| member | |
|---|---|
| `grant(grantee)` | Allow it. |"""
    )


def test_a_construct_without_its_own_arguments_has_no_signature() -> None:
    assert page(PlainConstruct=PlainConstruct) == "## Constructs\n\n### PlainConstruct\n\nWithout arguments of its own."


def test_constants_and_errors_have_their_own_sections() -> None:
    class WrongError(ValueError):
        """It is wrong."""

    text = page(SIZES=(1, 2), TABLE={"a": 1}, WrongError=WrongError)
    assert "### SIZES\n\n`(1, 2)`" in text
    assert "### TABLE\n\nA dictionary with the keys `a`." in text
    assert text.endswith("## Errors\n\n### WrongError\n\nIt is wrong.")
