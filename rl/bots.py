"""Rule-based partners: one that moves at random, and one that follows a convention and is otherwise sensible."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs.base import Step
from envs.convention import convention_prior
from envs.hanabi_encoding import observation_sections
from envs.hanabi_rules import HanabiRules
from envs.language import events
from schemas.convention import Convention
from schemas.errors import UserError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class RandomBot:
    """Moves uniformly at random among the legal moves."""

    def sit(self, num_envs: int, seed: int) -> "RandomSeat":
        """Take a seat; the bot has no memory of its games."""
        return RandomSeat(seed)


class RandomSeat:
    """A seat of a RandomBot."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self.log_probs: NDArray[np.float32] | None = None

    def act(self, step: Step, rows: NDArray[np.intp]) -> NDArray[np.int64]:
        """Choose moves (see rl.policy.Seat)."""
        legal = step.legal[rows]
        with np.errstate(divide="ignore"):
            self.log_probs = np.log(legal / legal.sum(1, keepdims=True), dtype=np.float32)
        return np.where(legal, self._random.random(legal.shape), -1.0).argmax(1)


class ConventionBot:
    """Someone who follows a convention for two, and is careful where it leaves a choice or cannot be obeyed.

    From the best to the last resort:
    - where the convention says to play, the card that is most likely to fit, unless all named ones surely do not;
    - a hint that it asks for, if the partner, following the convention, would then rather play a card that fits than
      one that does not: the one with the best chances;
    - a card that surely fits;
    - such a hint though the convention asks for something else now;
    - a hint that it asks for and that makes the partner play nothing;
    - a discard, those that the convention asks for first: a card that is surely of no use, else the oldest one that
      no hint has named, else the oldest;
    - the hint that does least harm; a play that is most likely to fit.
    """

    def __init__(self, convention: Convention, rules: HanabiRules) -> None:
        """Raises UserError if the convention does not fit the rules, or the rules are not those of two players."""
        if rules.players != 2:
            raise UserError(f"convention {convention.name!r}: a bot plays it with 2 players, not with {rules.players}")
        self.rules = rules
        self.asked = convention_prior(convention, rules)  # [K, A]
        self.key_of_hint = _key_of_hint(rules)

    def sit(self, num_envs: int, seed: int) -> "ConventionSeat":
        """Take a seat; the bot sees all that it needs, and draws nothing at random."""
        return ConventionSeat(self)


class ConventionSeat:
    """A seat of a ConventionBot."""

    log_probs: NDArray[np.float32] | None = None

    def __init__(self, bot: ConventionBot) -> None:
        self._bot = bot

    def act(self, step: Step, rows: NDArray[np.intp]) -> NDArray[np.int64]:
        """Choose moves (see rl.policy.Seat)."""
        bot, rules, legal = self._bot, self._bot.rules, step.legal[rows]
        hand = rules.hand_size
        discards, plays, hints = slice(0, hand), slice(hand, 2 * hand), slice(2 * hand, None)
        cards, asked = _read(rules, step.obs[rows]), (bot.asked[step.obs_key[rows]] > 0) & legal
        good, bad = self._what_hints_do(cards)
        told: Bools = asked[:, plays].sum(1) == asked.sum(1)  # to play, if anything
        sure = cards.fits >= 1
        oldest_first = np.linspace(0.9, 0, hand)

        worth = np.zeros(legal.shape)  # tens are the places in the bot's list, what is below them chooses among equals
        worth[:, plays] = _first(
            (asked[:, plays] & np.where(told[:, None], cards.fits > 0, sure), 60 + cards.fits),
            (sure, 40.0),
            otherwise=cards.fits,
        )
        worth[:, hints] = _first(
            (asked[:, hints] & (good > bad), 50 + good - bad),
            (good > bad, 30 + good - bad),
            (asked[:, hints] & (bad == 0), 29.0),
            otherwise=10 - bad,
        )
        worth[:, discards] = 20 + 4 * asked[:, discards] + oldest_first
        worth[:, discards] += _first((cards.useless >= 1, 2.0), (~cards.named, 1.0), otherwise=0.0)
        return np.where(legal, worth, -1.0).argmax(1)

    def _what_hints_do(self, cards: "_Cards") -> tuple[Floats, Floats]:
        """How likely a hint makes the partner play a card that fits, and one that does not: float[N, hints] each."""
        bot, hand = self._bot, self._bot.rules.hand_size
        touched = np.einsum("nsc,hc->nhs", cards.partner, _named_by_hints(bot.rules))
        masks = (touched.astype(np.int64) << np.arange(hand)).sum(-1)
        keys = bot.key_of_hint[np.arange(masks.shape[1]), masks]
        played = bot.asked[keys][..., hand : 2 * hand] * (masks > 0)[..., None]  # [N, hints, slots]
        fits = (cards.partner & cards.playable[:, None]).sum(-1)[:, None] > 0
        return (played * fits).sum(-1), (played * ~fits).sum(-1)


class _Cards(NamedTuple):
    """What an observation tells about cards; slots are positions in a hand, C kinds of cards."""

    playable: Bools  # [N, C] kinds that fit on the fireworks now
    partner: Bools  # [N, slots, C] the partner's cards, one-hot
    fits: Floats  # [N, slots] chance that a card of mine is playable
    useless: Floats  # [N, slots] chance that it has been played already
    named: Bools  # [N, slots] a hint has named it


def _read(rules: HanabiRules, obs: NDArray[np.uint8]) -> _Cards:
    """Read observations uint8[N, D] as a player who counts cards does."""
    at, n = observation_sections(rules), len(obs)
    colors, ranks, kinds, hand = rules.colors, rules.ranks, rules.max_score, rules.hand_size
    tops = obs[:, at["fireworks"]].reshape(n, colors, ranks)
    height = ((tops.argmax(2) + 1) * tops.any(2))[..., None]  # cards on each firework
    playable = (np.arange(ranks) == height).reshape(n, kinds)
    played = (np.arange(ranks) < height).reshape(n, kinds)
    partner = obs[:, at["hands"]].reshape(n, hand, kinds) > 0
    copies = np.bincount(rules.sorted_deck, minlength=kinds)
    discarded = np.add.reduceat(obs[:, at["discards"]], np.cumsum(copies) - copies, axis=1, dtype=np.int64)
    unseen = copies - discarded - played - partner.sum(1)
    known = obs[:, at["knowledge"]].reshape(n, 2, hand, -1)[:, 0]
    chances = known[..., :kinds] * unseen[:, None].astype(np.float64)
    chances /= np.maximum(chances.sum(-1, keepdims=True), 1.0)
    return _Cards(
        playable=playable,
        partner=partner,
        fits=_chance(chances, playable),
        useless=_chance(chances, played),
        named=known[..., kinds:].sum(-1) > 0,
    )


def _chance(chances: Floats, kinds: Bools) -> Floats:
    """Chance of being one of `kinds`, bool[N, C], float[N, slots]; exactly 0 or 1 where that is certain."""
    chance = (chances * kinds[:, None]).sum(-1)
    never, always = ~((chances > 0) & kinds[:, None]).any(-1), ~((chances > 0) & ~kinds[:, None]).any(-1)
    return np.where(never, 0.0, np.where(always, 1.0, chance))


def _named_by_hints(rules: HanabiRules) -> NDArray[np.int64]:
    """Which kinds of cards a hint names, int64[hints, C]."""
    color, rank = np.divmod(np.arange(rules.max_score), rules.ranks)
    by_color, by_rank = np.arange(rules.colors)[:, None] == color, np.arange(rules.ranks)[:, None] == rank
    return np.vstack([by_color, by_rank]).astype(np.int64)


def _key_of_hint(rules: HanabiRules) -> NDArray[np.int64]:
    """The row of the last move that a hint will be, int64[hints, 2^hand]: by hint and mask of the named cards."""
    table = np.zeros((rules.colors + rules.ranks, 1 << rules.hand_size), np.int64)
    for row, event in enumerate(events(rules)):
        if event.to_me:
            hint = event.value + (rules.colors if event.kind == "hint_rank" else 0)
            table[hint, sum(1 << card for card in event.cards)] = row
    return table


def _first(*cases: tuple[Bools, Floats | float], otherwise: Floats | float) -> Floats:
    """Take for every entry the value of the first case that holds."""
    conditions = [condition for condition, _ in cases]
    values = [np.broadcast_to(value, conditions[0].shape) for _, value in cases]
    return np.select(conditions, values, np.broadcast_to(otherwise, conditions[0].shape))
