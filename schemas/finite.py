"""Enumerate every value that a finite schema allows: Pydantic types, JSON schemas, function-call tools."""

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticSchemaGenerationError, PydanticUserError

from schemas.errors import UserError
from schemas.tools import Call, Tool

MAX_VALUES = 100_000
_NEED = "a prior needs a finite set of values"


def finite_values(schema: Any) -> list[Any]:
    """List all values of a finite type: Literal, Enum, bool, bounded int, None, unions and models of them.

    Values are validated instances, in the order in which the type names them; of a model's fields the last changes
    fastest. Raises UserError naming the place that has no finite set of values.
    """
    try:
        adapter = TypeAdapter(schema)
        described = adapter.json_schema()
    except (PydanticSchemaGenerationError, PydanticInvalidForJsonSchema, PydanticUserError) as error:
        raise UserError(f"schema: {schema!r} has no JSON schema ({str(error).splitlines()[0]})") from None
    name = getattr(schema, "__name__", "schema")
    return [adapter.validate_json(json.dumps(value)) for value in json_values(described, name)]


def tool_calls(tools: Sequence[Tool | Mapping[str, Any]]) -> list[Call]:
    """List every call of tools, each a Tool or a mapping in OpenAI's format. Raises UserError as finite_values does."""
    calls = []
    for i, tool in enumerate(tools):
        if isinstance(tool, Tool):
            calls += tool.calls()
            continue
        function = tool.get("function", tool)
        if not isinstance(function, Mapping) or "name" not in function:
            raise UserError(f"tools[{i}]: a function with a name is needed")
        parameters = function.get("parameters") or {"type": "object", "properties": {}}
        values = json_values(parameters, f"tools[{i}].parameters")
        calls += [Call(name=function["name"], arguments=value) for value in values]
    names = [str(call) for call in calls]
    twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if twice:
        raise UserError(f"tools: the call {twice} stands there twice; every action needs a name of its own")
    return calls


def json_values(schema: Mapping[str, Any], where: str) -> list[Any]:
    """List the values of a JSON schema; `where` is what error messages call it. All properties count as given."""
    values = _values(schema, where, schema.get("$defs", {}))
    unique = {json.dumps(value): value for value in values}
    return list(unique.values())


def _values(schema: Mapping[str, Any], where: str, definitions: Mapping[str, Any]) -> list[Any]:
    if "$ref" in schema:
        return _values(definitions[schema["$ref"].removeprefix("#/$defs/")], where, definitions)
    if "const" in schema:
        return [schema["const"]]
    if "enum" in schema:
        return list(schema["enum"])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return [value for part in schema[key] for value in _values(part, where, definitions)]
    kind = schema.get("type")
    if kind == "object" and "properties" in schema:
        inner = {name: _values(part, f"{where}.{name}", definitions) for name, part in schema["properties"].items()}
        return _product(inner, where)
    if kind == "integer":
        return _integers(schema, where)
    simple: dict[Any, list[Any]] = {"boolean": [False, True], "null": [None]}
    if kind in simple:
        return simple[kind]
    raise UserError(f"{kind or 'value'} without enum at {where}: {_NEED}")


def _product(inner: Mapping[str, Sequence[Any]], where: str) -> list[dict[str, Any]]:
    count = 1
    for values in inner.values():
        count *= len(values)
    if count > MAX_VALUES:
        raise UserError(f"{count} values at {where}: {_NEED} no larger than {MAX_VALUES}")
    return [dict(zip(inner, combination, strict=True)) for combination in itertools.product(*inner.values())]


def _integers(schema: Mapping[str, Any], where: str) -> list[int]:
    low = schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1 if "exclusiveMinimum" in schema else None)
    high = schema.get("maximum", schema.get("exclusiveMaximum", 1) - 1 if "exclusiveMaximum" in schema else None)
    if low is None or high is None:
        raise UserError(f"integer without enum or bounds at {where}: {_NEED}")
    step = int(schema.get("multipleOf", 1))
    first = -(-int(low) // step) * step
    if (high - first) // step >= MAX_VALUES:
        raise UserError(f"{(high - first) // step + 1} values at {where}: {_NEED} no larger than {MAX_VALUES}")
    return list(range(first, int(high) + 1, step))
