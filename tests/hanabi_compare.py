"""Play the fast Hanabi engine and HLE side by side and compare everything that either can tell."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields

import numpy as np
from hanabi_learning_environment import pyhanabi
from numpy.typing import NDArray

from envs.base import Step
from envs.hanabi_engine import Hanabi
from envs.hanabi_reference import HanabiReference, deck_of
from envs.hanabi_rules import DEALT, DISCARDS, HanabiRules

CONFIGURATIONS = {
    "full": HanabiRules(),
    "full, minimal observation": HanabiRules(observation_type="minimal"),
    "full, all cards seen": HanabiRules(observation_type="seer"),
    "small": HanabiRules(colors=2, hand_size=2, max_information_tokens=3, max_life_tokens=1),
    "very small": HanabiRules(colors=1, hand_size=2, max_information_tokens=3, max_life_tokens=1),
    "mini": HanabiRules(colors=3, ranks=3, hand_size=5),
    "3 players": HanabiRules(players=3),
    "4 players": HanabiRules(players=4, colors=4, max_life_tokens=2),
    "5 players": HanabiRules(players=5),
    "5 players, random start": HanabiRules(players=5, hand_size=3, random_start_player=True),
    "1 color, 1 life": HanabiRules(colors=1, hand_size=3, max_life_tokens=1),
    "1 rank": HanabiRules(ranks=1, hand_size=4, max_information_tokens=2),
    "2 ranks, hand 1": HanabiRules(colors=3, ranks=2, hand_size=1, max_life_tokens=9),
    "no hint tokens": HanabiRules(max_information_tokens=0, max_life_tokens=30),
    "1 hint token": HanabiRules(players=3, hand_size=2, max_information_tokens=1, max_life_tokens=8),
    "all cards dealt": HanabiRules(players=5, hand_size=10, max_life_tokens=5),
    "hand 12": HanabiRules(hand_size=12, max_life_tokens=4),
    "many lives": HanabiRules(max_life_tokens=60, max_information_tokens=12),
    "score kept": HanabiRules(keep_score=True, max_life_tokens=1),
}

Policy = Callable[[HanabiReference, Step, np.random.Generator], NDArray[np.int64]]


def random_moves(_: HanabiReference, shown: Step, rng: np.random.Generator) -> NDArray[np.int64]:
    """Choose any legal move."""
    return np.argmax(rng.random(shown.legal.shape) * shown.legal, axis=1)


def greedy_moves(reference: HanabiReference, shown: Step, rng: np.random.Generator) -> NDArray[np.int64]:
    """Play what fits, knowing all cards; otherwise hint or discard at random: long games with high scores."""
    moves = random_moves(reference, shown, rng)
    hand = reference.rules.hand_size
    for i, state in enumerate(reference.states):
        fits = [
            hand + k
            for k, card in enumerate(state.player_hands()[state.cur_player()])
            if state.card_playable_on_fireworks(card.color(), card.rank())
        ]
        safe = shown.legal[i].copy()
        safe[hand : 2 * hand] = False
        if fits:
            moves[i] = rng.choice(fits)
        elif safe.any():
            moves[i] = rng.choice(np.flatnonzero(safe))
    return moves


def adversarial_moves(reference: HanabiReference, shown: Step, rng: np.random.Generator) -> NDArray[np.int64]:
    """Seek the edges: drain the hint tokens, discard what is needed, and now and then play what does not fit."""
    moves = random_moves(reference, shown, rng)
    hand = reference.rules.hand_size
    for i, state in enumerate(reference.states):
        hints = 2 * hand + np.flatnonzero(shown.legal[i, 2 * hand :])
        if len(hints) and rng.random() < 0.6:
            moves[i] = rng.choice(hints)
        elif shown.legal[i, 0] and rng.random() < 0.8:
            cards = state.player_hands()[state.cur_player()]
            moves[i] = max(range(len(cards)), key=lambda k: cards[k].rank())
    return moves


POLICIES: dict[str, Policy] = {
    "random": random_moves,
    "greedy": greedy_moves,
    "adversarial": adversarial_moves,
}


@dataclass
class Comparison:
    """What was played and compared, and what differed, in words."""

    games: int = 0
    moves: int = 0
    compared: int = 0
    bombs: int = 0  # games that ended without lives
    perfect: int = 0  # with all cards played
    last_rounds: int = 0  # with the last round
    found: list[str] = field(default_factory=list)

    def __add__(self, other: "Comparison") -> "Comparison":
        return Comparison(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def check(self, what: str, ours: object, theirs: object) -> None:
        """Compare two values."""
        self.compared += 1
        if not np.array_equal(np.asarray(ours), np.asarray(theirs)):
            self.found.append(f"{what}: {ours} instead of {theirs}")

    def add(self, fast: Hanabi, slow: HanabiReference, shown: Step, wanted: Step, envs: NDArray[np.intp]) -> None:
        """Compare what both engines show after a move, and the state of the games that made one."""
        rules, table = fast.rules, fast.table
        for name, ours, theirs in zip(Step._fields, shown, wanted, strict=True):
            self.check(name, ours, theirs)
        views = [fast.encode(offset) for offset in range(rules.players)]
        scores, own = fast.scores, fast.own_hand()
        for i in envs:
            state = slow.states[i]
            self.check(f"score {i}", scores[i], slow.score(i))
            self.check(f"information tokens {i}", fast.information_tokens[i], state.information_tokens())
            self.check(f"life tokens {i}", fast.life_tokens[i], state.life_tokens())
            self.check(f"fireworks {i}", table.fireworks[i], state.fireworks())
            self.check(f"deck size {i}", rules.deck_size - table.counters[i, DEALT], state.deck_size())
            pile = [card.color() * rules.ranks + card.rank() for card in state.discard_pile()]
            self.check(f"discards {i}", table.pile[i, : table.counters[i, DISCARDS]], pile)
            for player, cards in enumerate(state.player_hands()):
                hand = [card.color() * rules.ranks + card.rank() for card in cards]
                self.check(f"hand {i}, {player}", table.hands[i, player, : table.held[i, player]], hand)
                if player == state.cur_player():
                    one_hot = own[i].reshape(rules.hand_size, -1)
                    self.check(f"own hand {i}", np.flatnonzero(one_hot) % rules.max_score, hand)
            for offset in range(rules.players):
                player = (state.cur_player() + offset) % rules.players
                self.check(f"encoding {i}, {player}", views[offset][i], slow.observe(i, player))
            if rules.observation_type != "minimal":
                observation = state.observation(0)  # kept: what it says of cards points into it
                for player, known in enumerate(observation.card_knowledge()):
                    for slot, card in enumerate(known):
                        self.check(f"knowledge {i}, {player}, {slot}", *_knowledge(fast, i, player, slot, card))


def differences(rules: HanabiRules, policy: Policy, games: int, seed: int) -> Comparison:
    """Play `games` games to the end in both engines; where 3 divides the seed, with decks that HLE dealt by itself."""
    rng = np.random.default_rng(seed)
    fast = Hanabi(games, rules, autoreset=False)
    slow = HanabiReference(games, rules, autoreset=False, game=fast.game)
    decks = None
    if seed % 3 == 0:
        decks = np.stack([_dealt_by_hle(slow, rules) for _ in range(games)])
    result = Comparison(games=games)
    shown, wanted = fast.reset(seed, decks), slow.reset(seed, decks)
    result.add(fast, slow, shown, wanted, np.arange(games))
    while not wanted.done.all() and not result.found:
        moving = np.flatnonzero(~wanted.done)
        actions = policy(slow, wanted, rng)
        shown, wanted = fast.step(actions), slow.step(actions)
        result.moves += len(moving)
        result.add(fast, slow, shown, wanted, moving)
    lives = np.array([state.life_tokens() for state in slow.states])
    result.bombs = int((lives == 0).sum())
    result.perfect = sum(sum(state.fireworks()) == rules.max_score for state in slow.states)
    result.last_rounds = games - result.bombs - result.perfect
    return result


def _dealt_by_hle(slow: HanabiReference, rules: HanabiRules) -> NDArray[np.uint8]:
    """Let HLE deal a whole game of discards and plays, and take the deck from its history."""
    state = slow.hle_game.new_initial_state()
    while not state.is_terminal():
        if state.cur_player() == pyhanabi.CHANCE_PLAYER_ID:
            state.deal_random_card()
        else:
            state.apply_move(state.legal_moves()[0])
    return deck_of(state, rules)


def _knowledge(fast: Hanabi, env: int, player: int, slot: int, card) -> tuple[list[object], list[object]]:
    """Plausible colors and ranks, hinted color and rank, of our card and of HLE's."""
    colors, ranks = fast.rules.colors, fast.rules.ranks
    known = fast.table.known[env, player, slot]
    possible = known[: colors * ranks].reshape(colors, ranks).astype(bool)
    color, rank = known[colors * ranks :][:colors], known[colors * ranks + colors :]
    ours = [*possible.any(1), *possible.any(0), *color, *rank]
    theirs = [
        *(card.color_plausible(c) for c in range(colors)),
        *(card.rank_plausible(r) for r in range(ranks)),
        *(card.color() == c for c in range(colors)),
        *(card.rank() == r for r in range(ranks)),
    ]
    return ours, theirs
