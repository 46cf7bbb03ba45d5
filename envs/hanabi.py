"""Hanabi by name: the presets, their languages, and a viewer.

python -m envs.hanabi --seed 7 --policy random         # a game in words
python -m envs.hanabi --env hanabi-mini --policy convention --convention FILE --level full
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
import tyro
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from envs.base import BatchedEnv, Game
from envs.convention import convention_prior
from envs.hanabi_engine import Hanabi
from envs.hanabi_rules import LAST_CARD, LAST_MASK, LAST_SCORED, LAST_TOKEN, MASK_BITS, HanabiRules
from envs.hanabi_view import card_words, view, view_text
from envs.language import Naming, card_names, hanabi_game
from schemas.command_line import parse, read_toml, run_main
from schemas.config import Level
from schemas.convention import Convention
from schemas.errors import UserError

PRESETS: dict[str, dict[str, Any]] = {
    "hanabi": {},
    "hanabi-small": {"colors": 2, "hand_size": 2, "max_information_tokens": 3, "max_life_tokens": 1},
    "hanabi-very-small": {"colors": 1, "hand_size": 2, "max_information_tokens": 3, "max_life_tokens": 1},
    "hanabi-mini": {"colors": 3, "ranks": 3, "hand_size": 5},
}
Engine = Literal["numba", "hle"]


def preset(name: str, players: int = 2, **changes: Any) -> HanabiRules:
    """Return the rules of a preset, with `changes` to its parameters. Raises UserError naming the presets."""
    if name not in PRESETS:
        raise UserError(f"--env: unknown game {name!r}; known are {', '.join(PRESETS)}")
    return HanabiRules(players=players, **{**PRESETS[name], **changes})


def make_hanabi_game(name: str, players: int = 2) -> Game:
    """Return the language of a preset. Raises UserError naming the presets."""
    return hanabi_game(preset(name, players), name)


def make_hanabi(
    name: str,
    num_envs: int,
    *,
    players: int = 2,
    engine: Engine = "numba",
    autoreset: bool = True,
    num_threads: int = 1,
    first_stream: int = 0,
) -> BatchedEnv:
    """Return a batch of games of a preset, on the fast engine or on HLE itself, which takes one thread only.

    Game i draws from the stream of randomness `first_stream` + i, so that a batch may be spread over processes.
    """
    rules, game = preset(name, players), make_hanabi_game(name, players)
    if engine == "numba":
        threads, first = num_threads, first_stream
        return Hanabi(num_envs, rules, autoreset=autoreset, num_threads=threads, first_stream=first, game=game)
    if engine == "hle" and num_threads > 1:
        raise UserError(f"num_threads: {num_threads}; HLE takes one thread only")
    if engine == "hle":
        from envs.hanabi_reference import HanabiReference

        return HanabiReference(num_envs, rules, autoreset=autoreset, first_stream=first_stream, game=game)
    raise UserError(f"--engine: {engine!r}; known are numba, hle")


class ViewerConfig(BaseModel):
    """What to play and how to tell it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    env: Literal["hanabi", "hanabi-small", "hanabi-very-small", "hanabi-mini"] = "hanabi"
    players: int = Field(2, ge=2, le=5, description="number of players")
    seed: int = Field(0, ge=0, description="seed of the deck and of the policy")
    policy: Literal["random", "convention"] = Field("random", description="who chooses the moves")
    convention: Annotated[str | None, tyro.conf.arg(metavar="FILE")] = Field(
        None, description="TOML file of the convention to play by"
    )
    level: Level = Field("hand", description="how much of what a player sees is told")
    names: Naming = Field("letters", description="how positions are named: A.., 1st.., oldest..newest")

    @field_validator("convention")
    @classmethod
    def _needed(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and info.data.get("policy") != "convention":
            raise ValueError("only --policy convention plays by it")
        return value


def play(config: ViewerConfig) -> list[str]:
    """Play one game and tell it, move by move."""
    rules = preset(config.env, config.players)
    env = Hanabi(1, rules, autoreset=False, game=hanabi_game(rules, config.env, config.names))
    prior = None
    if config.policy == "convention":
        if config.convention is None:
            raise UserError("--convention: a file is needed to play by a convention")
        convention = read_toml(Convention, config.convention, "--convention")
        prior = convention_prior(convention, rules)
    rng = np.random.default_rng(config.seed)
    shown = env.reset(config.seed)
    lines = [] if prior is None else [f"Convention: {convention.words()}", ""]
    turn = 0
    while not shown.done[0]:
        turn += 1
        player, key = int(shown.player[0]), int(shown.obs_key[0])
        action = _choose(rng, shown.legal[0], None if prior is None else prior[key])
        lines += [f"Move {turn}, player {player} sees:"]
        lines += [f"  {line}" for line in view_text(view(env, 0, key), config.level, config.names).splitlines()]
        shown = env.step(np.array([action]))
        lines += [f"  -> {env.game.actions[action].text}: {_outcome(env, action, config.names)}", ""]
    lives = int(env.life_tokens[0])
    why = "no lives are left" if not lives else "the fireworks are complete" if env.scores[0] == rules.max_score else (
        "the last round is over"
    )  # fmt: skip
    played = int(env.table.fireworks[0].sum())
    return [*lines, f"The game ends after {turn} moves: {why}. {played} cards played, score {env.scores[0]}."]


def main(argv: Sequence[str]) -> None:
    """Print one game."""
    print("\n".join(play(parse(ViewerConfig, argv, "Play a game of Hanabi and tell it in words."))))


def _choose(rng: np.random.Generator, legal: NDArray[np.bool_], prior: NDArray[np.float64] | None) -> int:
    """Draw a legal move, by the prior if it gives any legal move a probability."""
    weights = legal.astype(float)
    if prior is not None and (prior * legal).any():
        weights = prior * legal
    return int(rng.choice(len(legal), p=weights / weights.sum()))


def _outcome(env: Hanabi, action: int, naming: Naming) -> str:
    """Say what a move did."""
    counters, rules = env.table.counters[0], env.rules
    _, offset, _ = rules.moves()[action]
    if offset:
        names = card_names(rules.hand_size, naming)
        cards = [name for k, name in enumerate(names) if k < MASK_BITS and counters[LAST_MASK] >> k & 1]
        return f"it names {', '.join(cards)}, {env.information_tokens[0]} information tokens left"
    card = card_words(*divmod(int(counters[LAST_CARD]), rules.ranks))
    token = ", a token is won back" if counters[LAST_TOKEN] else ""
    if env.game.actions[action].call.name == "discard":
        return f"{card}{token}"
    fits = "it fits" if counters[LAST_SCORED] else f"it does not fit, {env.life_tokens[0]} lives left"
    return f"{card}, {fits}{token}"


if __name__ == "__main__":
    run_main(main)
