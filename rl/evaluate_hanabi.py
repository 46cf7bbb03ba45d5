"""Evaluation of Hanabi runs: who plays, with whom, and what is measured; runs.evaluation shows the results."""

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from envs.convention import convention_prior
from envs.hanabi import make_hanabi_game, preset
from envs.hanabi_engine import Hanabi
from envs.hanabi_rules import HanabiRules
from rl.bots import ConventionBot, RandomBot
from rl.checkpoint import load_checkpoint, seed_folders
from rl.crossplay import CrossPlay, between, score_matrix
from rl.metrics import Estimate, action_counts, action_matrix, estimates, over_seeds, statistics
from rl.play import Games, play
from rl.policy import Policy
from rl.weights import load_policy
from schemas.command_line import read_toml
from schemas.config import PriorConfig
from schemas.convention import Convention
from schemas.errors import StoreError, UserError

if TYPE_CHECKING:
    from rl.evaluate import HanabiOptions

CONVENTIONS = Path(__file__).parents[1] / "runs" / "recipes" / "conventions"
SMOOTHING = PriorConfig().epsilon  # of the two conventions, so that KL is finite
_NOT_THE_ARM = (
    "seed",
    "seeds",
    "tracking",
    "checkpoint_every",
    "threads",
)  # what seeds of one experiment may differ in
Estimates = dict[str, Estimate]


@dataclass(frozen=True)
class Player:
    """A trained policy: one seed of a run."""

    folder: Path
    info: dict[str, Any]
    policy: Policy
    group: int
    seed: int


@dataclass(frozen=True)
class Results:
    """What was measured. A group is the seeds of one configuration, whichever runs they come from."""

    env: str
    rules: HanabiRules
    options: "HanabiOptions"
    groups: list[str]
    players: list[Player]
    own: list[Estimates]  # of every player in self-play
    actions: list[NDArray[np.int64]]  # answers counted in self-play (see rl.metrics.action_counts)
    scores: NDArray[np.float64]  # [P, P] mean scores of everyone with everyone
    bots: dict[str, list[Estimates]]  # of every player's moves, with a bot
    notes: list[str]

    def members(self, group: int) -> list[int]:
        """Return the players of a group."""
        return [i for i, player in enumerate(self.players) if player.group == group]

    def of_group(self, group: int, found: list[Estimates]) -> Estimates:
        """Summarize players' statistics: means with intervals over seeds, or over games if there is one seed."""
        chosen = [found[i] for i in self.members(group)]
        if len(chosen) == 1:
            return chosen[0]
        names = dict.fromkeys(name for one in chosen for name in one)
        missing = Estimate(np.nan, np.nan, np.nan)
        seed = self.options.seed
        return {name: over_seeds([one.get(name, missing).value for one in chosen], seed) for name in names}

    def cross_play(self) -> list[tuple[int, int, CrossPlay]]:
        """Return cross-play within every group of several seeds and between all groups."""
        groups = range(len(self.groups))
        pairs = [(a, b) for a in groups for b in groups if a < b or (a == b and len(self.members(a)) > 1)]
        return [(a, b, between(self.scores, self.members(a), self.members(b), self.options.seed)) for a, b in pairs]

    def label(self, player: int) -> str:
        """Name a player."""
        return f"{self.groups[self.players[player].group]}, seed {self.players[player].seed}"


def evaluate(folders: Sequence[Path], options: "HanabiOptions") -> Results:
    """Play the runs in `folders`, which are all of one game of Hanabi, alone, with each other and with bots.

    Raises UserError for a network of another observation, a seed that is named twice, or an unknown bot.
    """
    name, players, groups = load_players(folders, sample=options.sample)
    env = new_games(name, options.games)
    for player in players:
        reads = player.info["network"]["obs_size"]
        if reads != env.obs_size:
            raise UserError(f"RUN: {player.folder}: its network reads {reads} features, {name} shows {env.obs_size}")
    bots = {bot: make_bot(bot, env.rules) for bot in options.partner}
    priors, notes = _priors(env.rules, players, groups)

    own: list[Estimates] = [{} for _ in players]
    actions = [np.zeros(0, np.int64) for _ in players]

    def measure(player: int, games: Games, partner: int | None = None) -> Estimates:
        found = statistics(games, priors[players[player].group], partner)
        if players[player].info["config"]["algo"] != "ppo":  # Q-values are scores, not log-probabilities
            found = {name: ratio for name, ratio in found.items() if not name.startswith("kl_")}
        return estimates(found, options.seed)

    def record(player: int, games: Games) -> None:
        own[player], actions[player] = measure(player, games), action_counts(games)

    policies = [player.policy for player in players]
    with _Progress() as progress:
        scores = score_matrix(env, policies, options.seed, record, progress)
    met = {
        bot: [measure(i, play(env, [policy, other], options.seed), 0) for i, policy in enumerate(policies)]
        for bot, other in bots.items()
    }
    return Results(name, env.rules, options, groups, players, own, actions, scores, met, notes)


def new_games(name: str, games: int) -> Hanabi:
    """Return a batch of games of a preset that do not reset by themselves."""
    return Hanabi(games, preset(name), autoreset=False, game=make_hanabi_game(name))


def self_play_entry(name: str, policy: Policy, seed: int) -> dict[str, Any]:
    """Play 1000 games of a preset in self-play; returns the entry of a seed in the summary of its run."""
    games = play(new_games(name, 1000), [policy, policy], seed)
    found = statistics(games)
    shown = ("score", "perfect", "bomb", "response_color", "response_rank", "hint_color")
    values = {name: estimate.json()["value"] for name, estimate in estimates({n: found[n] for n in shown}).items()}
    return {"seed": seed, "max_score": float(games.rules.max_score), **values}


def load_players(folders: Sequence[Path], *, sample: bool) -> tuple[str, list[Player], list[str]]:
    """Load all seeds of the runs in `folders`; returns the game, the players, and the names of their groups."""
    players: list[Player] = []
    keys: list[str] = []
    names: list[str] = []
    for folder in (seed for run in folders for seed in seed_folders(run)):
        policy, info = load_policy(folder, sample=sample)
        config = info["config"]
        if sample and config["algo"] != "ppo":
            raise UserError(f"--sample: {folder} holds Q-values, which are no probabilities; leave --sample out")
        key = json.dumps({k: v for k, v in config.items() if k not in _NOT_THE_ARM}, sort_keys=True)
        if key not in keys:
            keys.append(key)
            same = sum(name.partition(" #")[0] == info["run_name"] for name in names)
            names.append(info["run_name"] + (f" #{same + 1}" if same else ""))
        player = Player(folder, info, policy, keys.index(key), int(info["seed"]))
        twice = next((p for p in players if (p.group, p.seed) == (player.group, player.seed)), None)
        if twice:
            raise UserError(f"RUN: {folder} is the same seed of the same configuration as {twice.folder}")
        players.append(player)
    return players[0].info["config"]["env"], players, names


def make_bot(name: str, rules: HanabiRules) -> Policy:
    """Return the rule-based partner of that name, or that plays by the convention in that file."""
    if name == "random":
        return RandomBot()
    if name in ("color", "rank"):
        return ConventionBot(shipped_convention(name), rules)
    if not name.endswith(".toml"):
        raise UserError(f"--partner: {name!r}; known are random, color, rank, or a convention's file (.toml)")
    return ConventionBot(read_toml(Convention, name, "--partner"), rules)


def summary(results: Results) -> dict[str, Any]:
    """Return everything as JSON."""
    groups = []
    for group, name in enumerate(results.groups):
        seeds = [
            {
                "run": str(results.players[i].folder),
                "seed": results.players[i].seed,
                "statistics": _json(results.own[i]),
                "partners": {bot: _json(found[i]) for bot, found in results.bots.items()},
                "action_counts": results.actions[i].tolist(),
                "action_matrix": np.nan_to_num(action_matrix(results.actions[i])).tolist(),
            }
            for i in results.members(group)
        ]
        met = {bot: _json(results.of_group(group, found)) for bot, found in results.bots.items()}
        own = _json(results.of_group(group, results.own))
        groups.append({"name": name, "statistics": own, "partners": met, "seeds": seeds})
    return {
        "env": results.env,
        "max_score": results.rules.max_score,
        **results.options.model_dump(mode="json", include={"games", "seed", "sample", "partner"}),
        "groups": groups,
        "cross_play": {
            "policies": [results.label(i) for i in range(len(results.players))],
            "scores": results.scores.tolist(),
            "groups": [
                {"first": results.groups[a], "second": results.groups[b], **_json(found._asdict())}
                for a, b, found in results.cross_play()
            ],
        },
        "notes": results.notes,
    }


def _priors(
    rules: HanabiRules, players: Sequence[Player], groups: Sequence[str]
) -> tuple[list[dict[str, NDArray[np.floating]]], list[str]]:
    """Return for every group the priors to measure its adherence to, and what there is to say about them.

    They are both conventions, smoothed, and "own", the prior that the group was trained with.
    """
    both: dict[str, NDArray[np.floating]] = {}
    for name in ("color", "rank"):
        probs = convention_prior(shipped_convention(name), rules)
        both[name] = np.log((1 - SMOOTHING) * probs + SMOOTHING / rules.num_moves)
    found, notes = [], []
    for group, name in enumerate(groups):
        player = next(player for player in players if player.group == group)
        priors = dict(both)
        own = player.info["config"]["prior"]
        if own.get("level", "last-move") != "last-move":
            notes.append(f"{name}: trained at --level {own['level']}; its own prior is that of the last moves here")
        if own["method"] != "none":
            try:
                priors["own"] = load_checkpoint(player.folder.parent)[0]["log_prior"]
            except (StoreError, KeyError):
                notes.append(f"{name}: {player.folder.parent} does not hold its own prior; adherence to it is left out")
        found.append(priors)
    return found, notes


def shipped_convention(name: str) -> Convention:
    """Return the paper's convention of that name, color or rank."""
    return read_toml(Convention, str(CONVENTIONS / f"hanabi_{name}.toml"))


def _json(found: dict[str, Estimate]) -> dict[str, Any]:
    return {name: estimate.json() for name, estimate in found.items()}


class _Progress:
    """Pairs played: a bar on a terminal, a line every ten seconds elsewhere."""

    def __init__(self) -> None:
        self._bar: tqdm | None = None
        self._start = self._shown = time.monotonic()

    def __enter__(self) -> "_Progress":
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if sys.stderr.isatty():
            self._bar = self._bar if self._bar is not None else tqdm(total=total, unit="pair")
            self._bar.update(done - self._bar.n)
        elif now - self._shown > 10:
            self._shown = now
            left = (now - self._start) / done * (total - done)
            print(f"{done} of {total} pairs of partners, {left:.0f} s left", flush=True)
