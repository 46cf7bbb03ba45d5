"""Every prompt, in one place, named and versioned: a change of wording is a new version and so a new table.

Examples are about other games than the one that is asked about, so that a model cannot answer by copying them; what
it still copies, `prior.inspect` measures with the null instruction and the controls.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from envs.base import Game
from schemas.tools import Call, Tool

STRUCTURED_VERSION = "structured/1"
LIKELIHOOD_VERSION = "likelihood/1"
YES_NO_VERSION = "yes-no/1"
VERBALIZED_VERSION = "verbalized/1"


@dataclass(frozen=True)
class _Example:
    instruction: str
    tools: tuple[Tool, ...]
    observation: str
    call: Call


_EXAMPLES = (
    _Example(
        "I play the card that my partner named.",
        (
            Tool(name="play", description="", parameters={"card": (6, 7, 8, 9)}),
            Tool(name="pass", description=""),
        ),
        "My partner named card 7.",
        Call(name="play", arguments={"card": 7}),
    ),
    _Example(
        "When my partner points left, I move right.",
        (Tool(name="move", description="", parameters={"direction": ("left", "right")}),),
        "My partner pointed left.",
        Call(name="move", arguments={"direction": "right"}),
    ),
    _Example(
        "I open the door that my partner asked for.",
        (
            Tool(name="open", description="", parameters={"door": (11, 12, 13)}),
            Tool(name="wait", description=""),
        ),
        "My partner asked for door 12.",
        Call(name="open", arguments={"door": 12}),
    ),
)


def structured(game: Game, instruction: str, observation: str) -> str:
    """Few-shot function calling; the answer is the JSON of one call. `instruction` may be empty (the null)."""
    blocks = [_call_block(e.instruction, e.tools, e.observation) + e.call.json_text() for e in _EXAMPLES]
    return "\n\n".join([*blocks, _call_block(instruction, game.tools, observation)])


def structured_messages(game: Game, instruction: str, observation: str) -> list[dict[str, Any]]:
    """The same examples and question as chat messages; the last one is the question."""
    messages: list[dict[str, Any]] = []
    for e in _EXAMPLES:
        messages.append({"role": "user", "content": _call_block(e.instruction, e.tools, e.observation).strip()})
        messages.append({"role": "assistant", "content": e.call.json_text()})
    return [*messages, {"role": "user", "content": _call_block(instruction, game.tools, observation).strip()}]


def _call_block(instruction: str, tools: tuple[Tool, ...], observation: str) -> str:
    functions = ", ".join(tool.signature() for tool in tools)
    return f"Functions: {functions}\nInstruction: {instruction}\nObservation: {observation}\nCall: "


def likelihood(instruction: str, observation: str) -> str:
    """The paper's prompt for Say-Select: the instruction, what the partner did, and the beginning of the answer."""
    return " ".join(part for part in (instruction, observation, "So I should select") if part)


def yes_no(instruction: str, observation: str, action: str) -> str:
    """The paper's question for Hanabi (Appendix): one prompt for each pair of observation and action."""
    return f"Instruction: {instruction}\n\nPreviously: {observation}\n\nQuestion: Should I {action}?\n\nAnswer:"


def verbalized(game: Game, instruction: str, observation: str) -> str:
    """Ask for an integer weight from 0 to 10 for every action, written as one JSON object."""
    actions = "\n".join(f"{action.name}: {action.text}" for action in game.actions)
    return (
        "Give every action a weight from 0 (never) to 10 (surely), as a JSON object.\n\n"
        f"Actions:\n{actions}\n\nInstruction: {instruction}\nObservation: {observation}\nWeights: "
    )


@dataclass(frozen=True)
class UtterancePrompt:
    """How free utterances are parsed in one game: what to write, and examples of utterance and object."""

    task: str
    examples: tuple[tuple[str, str], ...]


UTTERANCES = {
    "say-select": UtterancePrompt(
        "A speaker names one number from 1 to 5. "
        "Write the number they settled on, or null if they named none of these.",
        tuple(
            (text, f'{{"said": {said}}}')
            for text, said in (
                ("number four please", "4"),
                ("not 3, 1", "1"),
                ("five? no, two", "2"),
                ("what a lovely day", "null"),
                ("the third", "3"),
                ("skip 4, choose 5", "5"),
                ("take 2 instead of 1", "2"),
                ("number eight", "null"),
                ("one", "1"),
                ("don't take 5, take 4", "4"),
                ("3 rather than 2", "3"),
                ("sdkjf lkj", "null"),
                ("I said one, I meant five", "5"),
                ("four is wrong, 1 is right", "1"),
                ("the second ball", "2"),
                ("I have no idea", "null"),
                ("three, sorry, four", "4"),
                ("would you please be so kind and choose five?", "5"),
                ("I switched from 5 to 3", "3"),
                ("trhee", "3"),
                ("2? no. 1? yes", "1"),
                ("red, I think", "null"),
                ("leave one and take two", "2"),
                ("five, not four", "5"),
                ("I wanted 2 but now 4", "4"),
                ("1 please, thank you very much", "1"),
                ("two, I mean five", "5"),
                ("either 4 or 5", "null"),
                ("ignore what I said about 1; it's 3", "3"),
            )
        ),
    )
}


def utterance(prompt: UtterancePrompt, text: str) -> tuple[str, str]:
    """Two prompts with the examples in either order; a small model leans on what it read last, in both ways."""
    shown = json.dumps(text)  # an utterance is data: quotes and line breaks in it cannot open a new example
    return tuple(  # type: ignore[return-value]
        f"{prompt.task}\n\n"
        + "".join(f"{label}: {json.dumps(t)}\n{answer}: {value}\n\n" for t, value in examples)
        + f"{label}: {shown}\n{answer}: "
        for label, answer, examples in (
            ("Utterance", "Call", prompt.examples),
            ("Speech", "Function call", prompt.examples[::-1]),
        )
    )


SERVER_VERSION = "server/1"
LABELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def choose_label(prompt: str, candidates: Sequence[str]) -> str:
    """For a server that shows only its most probable tokens: the candidates as letters, one of which is to be named."""
    lines = "\n".join(f"{label}: {text.strip()}" for label, text in zip(LABELS, candidates, strict=False))
    last = LABELS[len(candidates) - 1]
    return (
        f"{prompt.rstrip()}\n\nWhich of these continues the text above?\n{lines}\nAnswer with one letter, A to {last}."
    )


def choose_text(prompt: str, candidates: Sequence[str]) -> str:
    """For a server that is sampled: the candidates, one of which is to be written as `choice`."""
    lines = "\n".join(text.strip() for text in candidates)
    return f"{prompt.rstrip()}\n\nContinue the text above with exactly one of these lines, given as `choice`:\n{lines}"
