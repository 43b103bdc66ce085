"""The page of the constructs' API, made of the docstrings and signatures of the public names of crossover.cdk."""

import ast
import dataclasses
import enum
import inspect
import re
import textwrap
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from constructs import Construct

from crossover import cdk

KINDS = ("Constructs", "Interfaces and values", "Functions", "Constants", "Modules", "Errors")

# Packages whose classes ours are derived from; what they bring is in their own documentation.
FOREIGN = {"abc", "aws_cdk", "builtins", "constructs", "enum", "jsii", "typing"}


def markdown(module: ModuleType = cdk) -> str:
    """A section for each name in the module's `__all__`, by kind, in the order of `__all__`."""
    sections: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for name in module.__all__:
        value = getattr(module, name)
        sections[_kind(value)].append(_section(name, value))
    parts = [f"## {kind}\n\n" + "\n\n".join(texts) for kind, texts in sections.items() if texts]
    return "\n\n".join(parts)


def _kind(value: Any) -> str:
    if inspect.isclass(value):
        if issubclass(value, BaseException):
            return "Errors"
        return "Constructs" if issubclass(value, Construct) else "Interfaces and values"
    if inspect.ismodule(value):
        return "Modules"
    return "Functions" if inspect.isroutine(value) else "Constants"


def _section(name: str, value: Any) -> str:
    if inspect.isclass(value):
        blocks = [*_class(value)]
    elif inspect.ismodule(value):
        blocks = [_prose(inspect.getdoc(value))]
    elif inspect.isroutine(value):
        blocks = [_signature(name, inspect.signature(value)), _prose(inspect.getdoc(value))]
    else:
        blocks = [_constant(value)]
    return "\n\n".join([f"### {name}", *(block for block in blocks if block)])


def _class(cls: type) -> Iterator[str]:
    yield _prose(inspect.getdoc(cls) if cls.__doc__ else "")
    if issubclass(cls, enum.Enum):
        yield "\n".join(f"- `{member.name}`" for member in cls)
        return
    maker = next(base for base in cls.__mro__ if "__init__" in vars(base))
    if _is_ours(maker) and not issubclass(cls, BaseException) and not getattr(cls, "_is_protocol", False):
        yield _signature(cls.__name__, _without_self(inspect.signature(vars(maker)["__init__"])))
        if not dataclasses.is_dataclass(cls):
            yield _prose(inspect.cleandoc(vars(maker)["__init__"].__doc__ or ""))
    names = _attributes(cls)
    if names:
        yield "Attributes: " + ", ".join(f"`{name}`" for name in names) + "."
    rows = list(_members(cls))
    if rows:
        yield "\n".join(["| member | |", "|---|---|", *rows])


def _attributes(cls: type) -> list[str]:
    """What methods set on `self`, where the class's docstring has no Attributes section that says more."""
    if dataclasses.is_dataclass(cls) or "Attributes:" in (cls.__doc__ or ""):
        return []
    names: list[str] = []
    for base in (base for base in cls.__mro__ if _is_ours(base)):
        for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(base)))):
            match node:
                case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store()):
                    if not name.startswith("_") and name not in names:
                        names.append(name)
    return names


def _members(cls: type) -> Iterator[str]:
    """Public properties, class attributes and methods, with the first paragraph of what they say."""
    for name in _public(cls):
        member = inspect.getattr_static(cls, name)
        if isinstance(member, property):
            yield f"| `{name}` | {_first_paragraph(inspect.getdoc(member))} |"
        elif isinstance(member, classmethod | staticmethod) or inspect.isfunction(member):
            function = member.__func__ if isinstance(member, classmethod | staticmethod) else member
            arguments = _inline(_without_self(inspect.signature(function)))
            yield f"| `{name}({arguments})` | {_first_paragraph(inspect.getdoc(function))} |"


def _public(cls: type) -> list[str]:
    names: list[str] = []
    for base in reversed([base for base in cls.__mro__ if _is_ours(base)]):
        names += [name for name in vars(base) if not name.startswith("_") and name not in names]
    return names


def _is_ours(cls: type) -> bool:
    return cls.__module__.split(".")[0] not in FOREIGN


def _without_self(signature: inspect.Signature) -> inspect.Signature:
    return signature.replace(
        parameters=[parameter for parameter in signature.parameters.values() if parameter.name not in ("self", "cls")]
    )


def _signature(name: str, signature: inspect.Signature) -> str:
    """As code, an argument a line."""
    lines, keyword_only = [], False
    for parameter in signature.parameters.values():
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and not keyword_only:
            keyword_only = True
            lines.append("    *,")
        lines.append(f"    {_argument(parameter)},")
    returns = signature.return_annotation
    arrow = "" if returns in (inspect.Signature.empty, None, "None") else f" -> {_type(returns)}"
    return "\n".join(["```python", f"{name}(", *lines, f"){arrow}", "```"])


def _inline(signature: inspect.Signature) -> str:
    return ", ".join(parameter.name for parameter in signature.parameters.values())


def _argument(parameter: inspect.Parameter) -> str:
    stars = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}.get(parameter.kind.name, "")
    annotation = "" if parameter.annotation is inspect.Parameter.empty else f": {_type(parameter.annotation)}"
    if parameter.default is inspect.Parameter.empty:
        return f"{stars}{parameter.name}{annotation}"
    return f"{parameter.name}{annotation} = {_default(parameter.default)}"


def _default(value: Any) -> str:
    if isinstance(value, enum.Enum):
        return f"{type(value).__name__}.{value.name}"
    return "..." if repr(value).startswith("<") else repr(value)


def _type(annotation: Any) -> str:
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return re.sub(r"\b(?:[a-z_]\w*\.)+(?=[A-Z])", "", text)


def _constant(value: Any) -> str:
    if isinstance(value, dict):
        return f"A dictionary with the keys {', '.join(f'`{key}`' for key in value)}."
    return f"`{_type(repr(value))}`"


def _prose(docstring: str | None) -> str:
    """A docstring as Markdown: its sections become lists."""
    lines: list[str] = []
    in_section = False
    for line in (docstring or "").splitlines():
        heading = re.fullmatch(r"(Args|Attributes|Raises|Returns):", line)
        entry = re.fullmatch(r"    (\w+(?:, \w+)*): (.*)", line)
        if heading:
            in_section = True
            lines += [f"{heading[1]}:", ""]
        elif in_section and entry:
            lines.append(f"- `{entry[1]}`: {entry[2]}")
        elif in_section and line.startswith("        "):
            lines[-1] += " " + line.strip()
        elif re.match(r"(Benefit|Cost)\b[^:]*: ", line):
            label, _, rest = line.partition(": ")
            lines += ["", f"*{label}:* {rest}"]
        else:
            in_section = in_section and not line.strip()
            lines.append(line)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _first_paragraph(docstring: str | None) -> str:
    return " ".join((docstring or "").split("\n\n")[0].split())
