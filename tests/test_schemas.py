import itertools
import json
from enum import Enum
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, ValidationError

from envs.say_select import GAME
from schemas.distribution import ActionDistribution
from schemas.errors import UserError
from schemas.finite import finite_values, tool_calls
from schemas.tools import Call, Tool, call_model

weights = st.lists(st.floats(0.001, 1.0), min_size=1, max_size=8)


@given(weights)
def test_a_distribution_keeps_its_row_and_its_top(values):
    total = sum(values)
    names = tuple(f"a{i}" for i in range(len(values)))
    made = ActionDistribution(legal=names, probabilities={n: v / total for n, v in zip(names, values, strict=True)})
    row = made.row(["other", *names])
    assert row[0] == 0
    assert abs(sum(row) - 1) < 1e-6
    assert made.probabilities[made.top] == max(made.probabilities.values())
    assert 0 <= made.entropy <= 2.1


@pytest.mark.parametrize(
    ("probabilities", "complaint"),
    [
        ({"a": 0.5, "c": 0.5}, "'c' is not legal"),
        ({"a": 1.5, "b": -0.5}, "'b' has -0.5"),
        ({"a": 0.5, "b": 0.4}, "sum to 0.9"),
        ({"a": float("nan"), "b": 1.0}, "'a' has nan"),
    ],
)
def test_what_is_no_distribution_over_legal_actions_is_refused(probabilities, complaint):
    with pytest.raises(ValidationError, match=complaint):
        ActionDistribution(legal=("a", "b"), probabilities=probabilities)


def test_the_call_schema_accepts_exactly_the_legal_calls():
    calls = [action.call for action in GAME.actions]
    for legal in (calls, calls[2:4], calls[:1] + calls[5:], calls[5:]):
        model = call_model(legal)
        for call in calls:
            text = call.json_text()
            if call in legal:
                assert model.model_validate_json(text).model_dump() == call.model_dump()
            else:
                with pytest.raises(ValidationError):
                    model.model_validate_json(text)
        assert [Call.model_validate(value.model_dump()) for value in finite_values(model)] == legal
        json.dumps(model.model_json_schema())
    with pytest.raises(ValidationError):
        call_model(calls).model_validate_json('{"name": "select", "arguments": {"ball": "3"}}')


def test_calls_that_form_no_grid_admit_no_mixture():
    tool = Tool(name="f", description="", parameters={"x": (1, 2), "y": (1, 2)})
    diagonal = [call for call in tool.calls() if call.arguments["x"] == call.arguments["y"]]
    model = call_model(diagonal)
    with pytest.raises(ValidationError):
        model.model_validate({"name": "f", "arguments": {"x": 1, "y": 2}})
    assert len(finite_values(model)) == 2
    restricted = tool.restricted(diagonal[:1])
    assert restricted is not None
    assert restricted.parameters == {"x": (1,), "y": (1,)}
    assert tool.restricted([]) is None


def test_tools_are_written_as_openai_takes_them():
    select, quit_ = (tool.json_tool()["function"] for tool in GAME.tools)
    assert select["parameters"]["properties"] == {"ball": {"enum": [1, 2, 3, 4, 5], "type": "integer"}}
    assert quit_["parameters"]["required"] == []
    assert GAME.action_names == [*(f"select(ball={k})" for k in range(1, 6)), "quit()"]


def test_finite_schemas_are_enumerated_and_others_refused():
    class Color(Enum):
        red = "r"
        blue = "b"

    class Inner(BaseModel):
        flag: bool

    class Outer(BaseModel):
        color: Color
        number: Literal[1, 2] | None
        inner: Inner

    assert len(finite_values(Outer)) == 2 * 3 * 2

    class Free(BaseModel):
        note: str

    with pytest.raises(UserError, match=r"string without enum at Free.note: a prior needs a finite set of values"):
        finite_values(Free)


def test_bounded_integers_are_finite_and_unbounded_ones_are_not():
    class Move(BaseModel):
        steps: Annotated[int, Field(ge=2, lt=5)]
        even: Annotated[int, Field(gt=0, le=6, multiple_of=2)]

    assert {(m.steps, m.even) for m in finite_values(Move)} == set(itertools.product((2, 3, 4), (2, 4, 6)))
    with pytest.raises(UserError, match="integer without enum or bounds"):
        finite_values(int)
    with pytest.raises(UserError, match="no larger than 100000"):
        finite_values(Annotated[int, Field(ge=0, le=10**6)])
    with pytest.raises(UserError, match="number without enum"):
        finite_values(float)


def test_tools_in_openai_format_are_enumerated_and_checked():
    assert tool_calls([tool.json_tool() for tool in GAME.tools]) == [action.call for action in GAME.actions]
    free = {"function": {"name": "f", "parameters": {"type": "object", "properties": {"note": {"type": "string"}}}}}
    with pytest.raises(UserError, match=r"string without enum at tools\[0\].parameters.note"):
        tool_calls([free])
    with pytest.raises(UserError, match=r"the call quit\(\) stands there twice"):
        tool_calls([GAME.tools[1], GAME.tools[1]])
    with pytest.raises(UserError, match=r"tools\[0\]: a function with a name is needed"):
        tool_calls([{"function": 3}])
