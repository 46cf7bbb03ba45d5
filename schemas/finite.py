"""Enumerate every value that a finite schema allows."""

import itertools
import types
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, RootModel

from schemas.errors import UserError


def finite_values(schema: type[BaseModel]) -> list[BaseModel]:
    """List all instances of a model whose fields are Literal, Enum, bool, None, unions or models of them.

    The last field changes fastest. Raises UserError naming the field that has no finite set of values.
    """
    fields = {
        name: _values(field.annotation, f"{schema.__name__}.{name}") for name, field in schema.model_fields.items()
    }
    if issubclass(schema, RootModel):
        return [schema(value) for value in fields["root"]]
    return [
        schema.model_validate(dict(zip(fields, combination, strict=True)))
        for combination in itertools.product(*fields.values())
    ]


def _values(annotation: Any, where: str) -> list[Any]:
    origin = get_origin(annotation)
    if origin is Literal:
        return list(get_args(annotation))
    if origin is Annotated:
        return _values(get_args(annotation)[0], where)
    if origin in (Union, types.UnionType):
        return [value for part in get_args(annotation) for value in _values(part, where)]
    if annotation is types.NoneType:
        return [None]
    if annotation is bool:
        return [False, True]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return list(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return list(finite_values(annotation))
    name = getattr(annotation, "__name__", str(annotation))
    raise UserError(f"{where}: {name} is not finite; a prior needs a finite set of values (Literal, Enum, bool)")
