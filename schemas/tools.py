"""Actions as function calls: what a language model may answer, as Pydantic models and JSON schema."""

import itertools
import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Union

from pydantic import BaseModel, ConfigDict, Field, RootModel, create_model

Scalar = int | str | bool


class Call(BaseModel):
    """One function call with concrete arguments, for instance select(ball=3)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    arguments: dict[str, Scalar] = {}

    def __str__(self) -> str:
        """Return the call as written in code; the name of the action everywhere in the project."""
        return f"{self.name}({', '.join(f'{key}={value}' for key, value in self.arguments.items())})"

    def json_text(self) -> str:
        """Return the call as the JSON object that models are trained to write."""
        return json.dumps({"name": self.name, "arguments": self.arguments})


class Tool(BaseModel):
    """A function with a finite set of values for every parameter: the schema of a family of actions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    description: str
    parameters: dict[str, tuple[Scalar, ...]] = {}

    def calls(self) -> list[Call]:
        """List every call, the last parameter changing fastest."""
        names, values = list(self.parameters), list(self.parameters.values())
        return [
            Call(name=self.name, arguments=dict(zip(names, combination, strict=True)))
            for combination in itertools.product(*values)
        ]

    def restricted(self, legal: Sequence[Call]) -> "Tool | None":
        """Keep the parameter values that occur in a legal call of this tool; None if there is no such call."""
        mine = [call for call in legal if call.name == self.name]
        if not mine:
            return None
        kept = {
            key: tuple(value for value in values if any(call.arguments[key] == value for call in mine))
            for key, values in self.parameters.items()
        }
        return self.model_copy(update={"parameters": kept})

    def signature(self) -> str:
        """Return the function as a prompt shows it: select(ball: 1|2|3)."""
        inner = ", ".join(f"{key}: {'|'.join(map(str, values))}" for key, values in self.parameters.items())
        return f"{self.name}({inner})"

    def json_tool(self) -> dict[str, Any]:
        """Return the tool in the format of OpenAI's `tools` and of chat templates that take tools."""
        properties = {
            key: {"enum": list(values), "type": _json_type(values)} for key, values in self.parameters.items()
        }
        return {
            "type": "function",
            "function": {
                "name": self.name,
                "description": self.description,
                "parameters": {
                    "type": "object",
                    "properties": properties,
                    "required": list(self.parameters),
                    "additionalProperties": False,
                },
            },
        }


def call_model(legal: Sequence[Call]) -> type[RootModel[Any]]:
    """Build the Pydantic model that accepts the legal calls and nothing else; its JSON schema says the same.

    Calls of one function share a branch with enums when they form a full grid of argument values, as
    select(ball=1..5) does; otherwise every call is a branch of its own, so that no illegal mixture gets in.
    """
    if not legal:
        raise ValueError("legal: no call is legal; a schema needs at least one")
    branches: list[type[BaseModel]] = []
    for name in dict.fromkeys(call.name for call in legal):
        family = [call for call in legal if call.name == name]
        grid = {key: tuple(dict.fromkeys(c.arguments[key] for c in family)) for key in family[0].arguments}
        if len(Tool(name=name, description="", parameters=grid).calls()) == len(family):
            branches.append(_branch(name, grid))
        else:
            branches += [_branch(name, {k: (v,) for k, v in call.arguments.items()}) for call in family]
    union = branches[0] if len(branches) == 1 else Union[tuple(branches)]  # noqa: UP007 (built at run time)
    return RootModel[union]  # type: ignore[valid-type]


def _branch(name: str, grid: dict[str, tuple[Scalar, ...]]) -> type[BaseModel]:
    """Model of one function whose parameters take the listed values."""
    strict = ConfigDict(extra="forbid", strict=True)
    arguments = create_model(
        f"{name}_arguments",
        __config__=strict,
        **{key: (Literal[values], ...) for key, values in grid.items()},  # type: ignore[call-overload]
    )
    return create_model(
        name,
        __config__=strict,
        name=(Literal[name], ...),  # type: ignore[arg-type]
        arguments=(Annotated[arguments, Field()], ...),
    )


def _json_type(values: Sequence[Scalar]) -> str:
    kinds = {type(value) for value in values}
    names = {int: "integer", str: "string", bool: "boolean"}
    return names[kinds.pop()] if len(kinds) == 1 else "string"
