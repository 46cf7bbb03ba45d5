"""Play the fast Hanabi engine and HLE side by side and compare everything that either can tell."""

from collections.abc import Callable

import numpy as np
from hanabi_learning_environment import pyhanabi
from numpy.typing import NDArray

from envs.base import Step
from envs.hanabi_engine import Hanabi
from envs.hanabi_reference import HanabiReference
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


def differences(rules: HanabiRules, policy: Policy, games: int, seed: int) -> tuple[int, int, int, list[str]]:
    """Play `games` games to the end in both engines, a third of them with decks that HLE dealt by itself.

    Returns the number of games, moves and comparisons, and what differed, in words.
    """
    rng = np.random.default_rng(seed)
    fast = Hanabi(games, rules, autoreset=False)
    slow = HanabiReference(games, rules, autoreset=False, game=fast.game)
    decks = None
    if seed % 3 == 0:
        decks = np.stack([_dealt_by_hle(slow, rules) for _ in range(games)])
    found: list[str] = []
    moves = compared = 0
    shown, wanted = fast.reset(seed, decks), slow.reset(seed, decks)
    while True:
        compared += _compare(fast, slow, shown, wanted, found)
        if wanted.done.all() or found:
            return games, moves, compared, found
        actions = policy(slow, wanted, rng)
        moves += int((~wanted.done).sum())
        shown, wanted = fast.step(actions), slow.step(actions)


def _dealt_by_hle(slow: HanabiReference, rules: HanabiRules) -> NDArray[np.uint8]:
    """Let HLE deal a whole game of discards and plays, and take the deck from its history."""
    from envs.hanabi_reference import deck_of

    state = slow.hle_game.new_initial_state()
    while not state.is_terminal():
        if state.cur_player() == pyhanabi.CHANCE_PLAYER_ID:
            state.deal_random_card()
        else:
            state.apply_move(state.legal_moves()[0])
    return deck_of(state, rules)


def _compare(fast: Hanabi, slow: HanabiReference, shown: Step, wanted: Step, found: list[str]) -> int:
    """Compare one moment of every game; appends differences to `found`, returns how many values were compared."""
    rules, table, compared = fast.rules, fast.table, 0

    def check(what: str, ours: object, theirs: object) -> None:
        nonlocal compared
        compared += 1
        if not np.array_equal(np.asarray(ours), np.asarray(theirs)):
            found.append(f"{what}: {ours} instead of {theirs}")

    for name, ours, theirs in zip(Step._fields, shown, wanted, strict=True):
        check(name, ours, theirs)
    views = [fast.encode(offset) for offset in range(rules.players)]
    scores = fast.scores
    for i, state in enumerate(slow.states):
        check(f"score {i}", scores[i], slow.score(i))
        check(f"information tokens {i}", fast.information_tokens[i], state.information_tokens())
        check(f"life tokens {i}", fast.life_tokens[i], state.life_tokens())
        check(f"fireworks {i}", table.fireworks[i], state.fireworks())
        check(f"deck size {i}", rules.deck_size - table.counters[i, DEALT], state.deck_size())
        pile = [card.color() * rules.ranks + card.rank() for card in state.discard_pile()]
        check(f"discards {i}", table.pile[i, : table.counters[i, DISCARDS]], pile)
        for player, cards in enumerate(state.player_hands()):
            hand = [card.color() * rules.ranks + card.rank() for card in cards]
            check(f"hand {i}, {player}", table.hands[i, player, : table.held[i, player]], hand)
        for offset in range(rules.players):
            player = (state.cur_player() + offset) % rules.players
            check(f"encoding {i}, {player}", views[offset][i], slow.observe(i, player))
        if rules.observation_type != "minimal":
            observation = state.observation(0)  # kept: what it says of cards points into it
            for player, cards in enumerate(observation.card_knowledge()):
                for slot, card in enumerate(cards):
                    check(f"knowledge {i}, {player}, {slot}", *_knowledge(fast, i, player, slot, card))
    return compared


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
