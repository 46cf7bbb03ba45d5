"""Games between policies, the rule-based partners, and what is counted in a record of games."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from envs.convention import convention_prior
from envs.hanabi import PRESETS, preset
from envs.hanabi_engine import Hanabi
from envs.hanabi_reference import HanabiReference
from rl.bots import ConventionBot, RandomBot
from rl.crossplay import between, score_matrix
from rl.evaluate_hanabi import make_bot, new_games, shipped_convention
from rl.metrics import Ratio, action_counts, action_matrix, estimates, over_seeds, statistics
from rl.networks import make_network
from rl.play import BOTH_KNOWN, COLOR_KNOWN, NO_CARD, RANK_KNOWN, UNKNOWN, play
from rl.policy import NetworkPolicy
from schemas.convention import Convention
from schemas.errors import UserError

MINI = preset("hanabi-mini")
GAMES = 300


def network(rules, seed=0, kind="mlp", **settings):
    torch.manual_seed(seed)
    env = Hanabi(1, rules)
    net = make_network(kind, env.obs_size, env.private_size, rules.num_moves + 1, 32, 2)
    torch.nn.init.orthogonal_(net.head.weight, 3.0)  # opinions of its own
    return NetworkPolicy(net, **settings)


def rates(games, priors=None, partner=None):
    return {name: estimate.value for name, estimate in estimates(statistics(games, priors, partner)).items()}


class Script:
    """Makes the listed moves, one each turn, then plays its oldest card."""

    def __init__(self, *moves):
        self.moves = moves

    def sit(self, num_envs, seed):
        return _Scripted(itertools.chain(self.moves, itertools.repeat(MINI.hand_size)))


class Dealt(Hanabi):
    """One game of hanabi-mini that begins with these cards: five of player 0, five of player 1, the deck."""

    def __init__(self, cards):
        super().__init__(1, MINI, autoreset=False)
        self.cards = MINI.deck(cards.split())

    def reset(self, seed, decks=None):
        return super().reset(seed, self.cards[None])


class _Scripted:
    log_probs = None

    def __init__(self, moves):
        self.moves = moves

    def act(self, step, rows):
        return np.full(len(rows), next(self.moves))


@pytest.fixture(scope="module")
def env():
    return new_games("hanabi-mini", GAMES)


@pytest.fixture(scope="module")
def bots():
    return {name: make_bot(name, MINI) for name in ("color", "rank", "random")}


def test_a_game_by_hand():
    env = Dealt("R1 R1 R1 R2 R2 Y1 Y1 Y1 G1 G2")
    hint_yellow = 11
    games = play(env, [Script(hint_yellow), Script()], 0)
    # Y1 and R1 fit; the second Y1, R1 and Y1 do not, and the lives are gone.
    assert games.action[:, 0].tolist() == [11, 5, 5, 5, 5, 5]
    assert games.partner[:, 0].tolist() == [0, 1, 0, 1, 0, 1]
    assert games.reward[:, 0].tolist() == [0, 1, 1, 0, 0, -2]
    assert games.knowledge[:, 0].tolist() == [NO_CARD, COLOR_KNOWN, UNKNOWN, COLOR_KNOWN, UNKNOWN, COLOR_KNOWN]
    assert (games.scores.tolist(), games.lives.tolist(), games.lives_lost.tolist()) == ([0], [0], [3])
    found = rates(games)
    assert (found["score"], found["bomb"], found["perfect"], found["moves"]) == (0, 1, 0, 6)
    assert (found["color_known"], found["unknown"], found["rank_known"]) == (0.6, 0.4, 0)
    assert (found["response_color"], found["hint_color"]) == (1.0, 1.0)
    assert np.isnan(found["response_rank"])
    assert rates(games, partner=0)["unknown"] == 1.0
    counts = action_counts(games)
    assert (counts[11, 5], counts[5, 5], counts.sum()) == (1, 4, 5)
    assert action_counts(games, partner=0)[11].sum() == 0  # the hint was his; its answer was not


def test_knowledge_is_of_hints_that_named_the_card():
    env = Dealt("R1 R1 R2 R2 R3 Y1 G1 G1 G2 Y2")
    hint_red, hint_green, hint_ones = 10, 12, 13
    games = play(env, [Script(hint_green, hint_ones), Script(hint_red)], 0)
    # Green left the Y1 out, which is known by its rank; then come a G1, known by both, and reds, known by color.
    assert games.knowledge[3:7, 0].tolist() == [RANK_KNOWN, COLOR_KNOWN, BOTH_KNOWN, COLOR_KNOWN]


@pytest.mark.parametrize("name", PRESETS)
def test_records_agree_with_the_engine(name):
    env = new_games(name, 50)
    games = play(env, [RandomBot(), RandomBot()], 3)
    assert (env.scores == games.scores).all()
    assert ((games.reward * games.alive).sum(0) == games.scores).all()
    assert (games.alive == (np.arange(len(games.alive))[:, None] < games.alive.sum(0))).all()
    assert np.take_along_axis(games.legal, games.action[..., None].astype(int), -1)[games.alive[..., None]].all()
    first = games.partner[0]
    assert (first == np.arange(50) % 2).all()


@pytest.mark.parametrize("kind", ["mlp", "publ-lstm"])
def test_a_seed_decides_everything(env, kind):
    for sample in (False, True):
        policy = network(MINI, kind=kind, sample=sample)
        one, same, other = (play(env, [policy, policy], seed) for seed in (1, 1, 2))
        for field in ("action", "obs_key", "log_probs", "scores"):
            np.testing.assert_array_equal(getattr(one, field), getattr(same, field))
        assert one.scores.tolist() != other.scores.tolist() or one.action.shape != other.action.shape


def test_sampling_follows_the_log_probabilities(env):
    policy = network(MINI, sample=True)
    games = play(env, [policy, policy], 0)
    probs = np.exp(games.log_probs[games.alive])
    np.testing.assert_allclose(probs.sum(1), 1, atol=1e-5)
    assert (probs[~games.legal[games.alive]] == 0).all()
    taken = np.bincount(games.action[games.alive], minlength=MINI.num_moves)
    sigma = np.sqrt((probs * (1 - probs)).sum(0))
    assert (np.abs(taken - probs.sum(0)) < 5 * sigma + 1).all()


def test_play_says_what_it_needs(env):
    with pytest.raises(UserError, match="partners: 1 of them; one for each of the 2 seats"):
        play(env, [RandomBot()], 0)
    with pytest.raises(UserError, match="autoreset=False"):
        play(Hanabi(2, MINI), [RandomBot(), RandomBot()], 0)


@pytest.mark.parametrize("kind", ["color", "rank"])
@pytest.mark.parametrize("name", ["hanabi-mini", "hanabi"])
def test_convention_bots_follow_their_convention(name, kind):
    env = new_games(name, GAMES)
    bot = make_bot(kind, env.rules)
    games = play(env, [bot, bot], 0)
    found = rates(games)
    other = {"color": "rank", "rank": "color"}[kind]
    assert found[f"response_{kind}"] == 1.0
    assert found[f"response_{other}"] < 0.3
    assert found["bomb"] < 0.1
    assert found["score"] > 0.45 * env.rules.max_score
    asked = found["color_known"] if kind == "color" else found["rank_known"]
    assert asked + found["both_known"] > 0.9
    # A hint of the kind is given only if the partner rather plays a card that fits: nearly all of them score.
    after = games.alive[1:] & (np.isin(games.action[:-1], hints_of(env.rules, kind)))
    assert games.reward[1:][after].mean() > 0.8


def hints_of(rules, kind):
    first = 2 * rules.hand_size
    return (
        np.arange(first, first + rules.colors) if kind == "color" else np.arange(first + rules.colors, rules.num_moves)
    )


def test_bots_of_two_conventions_understand_each_other_less(env, bots):
    same = [play(env, [bots[kind]] * 2, 0).scores.mean() for kind in ("color", "rank")]
    assert play(env, [bots["color"], bots["rank"]], 0).scores.mean() < min(same) - 1


def test_random_bots_are_at_chance(env, bots):
    games = play(env, [bots["random"]] * 2, 0)
    found = estimates(statistics(games))
    hinted = games.alive & (games.action >= 2 * MINI.hand_size)
    color = games.legal[..., 10:13].sum(-1) / np.maximum(games.legal[..., 10:].sum(-1), 1)
    assert abs(found["hint_color"].value - color[hinted].mean()) < 0.03
    assert 0.07 < found["response_color"].value < 0.2
    assert 0.07 < found["response_rank"].value < 0.2


LEFTMOST = Convention.model_validate(
    {
        "name": "leftmost",
        "rules": [
            {"when": {"happened": "hint_rank"}, "then": [{"action": "play", "cards": "leftmost_hinted"}]},
            {"when": {"happened": "hint_color"}, "then": [{"action": "discard", "cards": "oldest"}]},
        ],
        "otherwise": {"then": [{"action": "hint_rank"}]},
    }
)


@pytest.mark.parametrize("name", PRESETS)
def test_any_convention_makes_legal_moves_with_anyone(name):
    env = new_games(name, 100)
    bot = ConventionBot(LEFTMOST, env.rules)
    for partner in (RandomBot(), bot, network(env.rules)):
        play(env, [bot, partner], 0)  # the engine refuses an illegal move


def test_a_hint_means_what_the_convention_says(env):
    # "Leftmost": the hinted cards behind the leftmost need not fit, so every hint's leftmost card does.
    bot = ConventionBot(LEFTMOST, MINI)
    games = play(env, [bot, bot], 0)
    after = games.alive[1:] & np.isin(games.action[:-1], hints_of(MINI, "rank"))
    played = after & (games.knowledge[1:] != NO_CARD)
    assert played.sum() > 100
    assert games.reward[1:][played].mean() > 0.9


def test_a_bot_does_not_play_what_surely_does_not_fit():
    env, seat = Dealt("R1 R2 Y2 G2 G3 R3 Y3 Y2 G2 R2"), make_bot("rank", MINI).sit(1, 0)
    hint_ones, hint_threes = 13, 15
    env.reset(0)
    assert seat.act(env.step([hint_threes]), np.array([0])).tolist() == [hint_ones]


def test_a_bot_without_a_useful_hint_discards_its_oldest_unnamed_card():
    env, seat = Dealt("R2 R2 Y2 G2 G3 R1 Y3 R3 G2 R1"), make_bot("rank", MINI).sit(1, 0)
    hint_red = 10  # names the cards A, C and E of the bot, and asks a rank player for nothing
    env.reset(0)
    assert seat.act(env.step([hint_red]), np.array([0])).tolist() == [1]


def test_bots_are_for_two():
    with pytest.raises(UserError, match="with 2 players, not with 3"):
        ConventionBot(LEFTMOST, preset("hanabi", 3))


def test_agreement_and_divergence_by_hand(env, bots):
    prior = convention_prior(shipped_convention("color"), MINI)
    smooth = np.log(0.85 * prior + 0.15 / MINI.num_moves)
    uniform = np.full_like(smooth, -np.log(MINI.num_moves))
    policy = network(MINI, sample=True)
    games = play(env, [policy, policy], 0)
    found = statistics(games, {"color": smooth, "nothing": uniform})
    value = {name: ratio.counted.sum() / ratio.total.sum() for name, ratio in found.items() if ratio.total.sum()}
    assert found["agreement_nothing"].total.sum() == 0  # it prefers nothing
    expected, states, agreed, divergence = 0, 0, 0, 0.0
    for t, n in zip(*np.nonzero(games.alive), strict=True):
        legal, key, move = games.legal[t, n], games.obs_key[t, n], games.action[t, n]
        allowed = (prior[key] > 0) & legal
        if allowed.any() and not allowed[legal].all():
            states += 1
            agreed += allowed[move]
        p = np.exp(smooth[key]) * legal
        q = np.exp(games.log_probs[t, n].astype(float))
        divergence += (q[legal] * np.log(q[legal] / (p[legal] / p.sum()))).sum()
        expected += 1
    assert value["agreement_color"] == pytest.approx(agreed / states)
    assert value["kl_color"] == pytest.approx(divergence / expected, rel=1e-4)
    assert value["kl_color"] > 0
    np.testing.assert_allclose(found["kl_nothing"].total, games.alive.sum(0))
    # The bot's moves have no log-probabilities, and it obeys wherever that is sensible.
    own = statistics(play(env, [bots["color"]] * 2, 0), {"color": smooth})
    assert "kl_color" not in own
    assert own["agreement_color"].counted.sum() / own["agreement_color"].total.sum() > value["agreement_color"]


def test_rows_of_the_action_matrix_sum_to_one(env, bots):
    counts = action_counts(play(env, [bots["random"]] * 2, 0))
    matrix = action_matrix(counts)
    np.testing.assert_allclose(matrix.sum(1), 1)
    counts[3] = 0
    assert np.isnan(action_matrix(counts)[3]).all()


def test_self_play_is_cross_play_with_oneself(env):
    policy = network(MINI)
    rival = network(MINI, seed=1)
    seen = {}
    scores = score_matrix(env, [policy, policy, rival], 5, lambda i, games: seen.setdefault(i, games.scores))
    assert scores[0, 0] == scores[1, 1] == scores[0, 1] == seen[0].mean()
    assert scores[0, 2] == scores[1, 2]
    assert (scores == scores.T).all()


def test_cross_play_of_groups_by_hand():
    scores = np.array([[8, 6, 5, 1.0], [6, 9, 7, 2], [5, 7, 7, 3], [1, 2, 3, 4]])
    within = between(scores, [0, 1, 2], [0, 1, 2])
    assert within.score.value == 6
    assert within.self_play.value == 8
    assert within.ratio.value == 0.75
    assert within.score.low == 5
    assert within.score.high == 7
    outside = between(scores, [0, 1, 2], [3])
    assert outside.score.value == 2
    assert outside.ratio.value == 2 / 6
    assert outside.score.low < 2 < outside.score.high
    assert np.isnan(between(scores, [0, 1], [0, 1]).score.low)  # one pair
    alone = between(scores, [0], [3])
    assert (alone.score.value, alone.score.json()["low"]) == (1, None)


def test_bootstrap_intervals_cover():
    # 95% intervals of the ratio of totals should hold the true ratio about 95 times in 100.
    rng = np.random.default_rng(0)
    hits, runs = 0, 200
    for run in range(runs):
        total = rng.integers(1, 20, 200).astype(float)
        counted = rng.binomial(total.astype(int), 0.3).astype(float)
        estimate = estimates({"x": Ratio(counted, total)}, seed=run, resamples=400)["x"]
        hits += estimate.low <= 0.3 <= estimate.high
    assert 0.88 < hits / runs < 0.99


@given(st.lists(st.floats(0, 25), min_size=1, max_size=8))
def test_the_mean_over_seeds_lies_in_its_interval(values):
    estimate = over_seeds(values)
    assert estimate.value == pytest.approx(np.mean(values))
    if len(values) == 1:
        assert np.isnan(estimate.low)
    else:
        assert min(values) - 1e-9 <= estimate.low <= estimate.value + 1e-9
        assert estimate.value - 1e-9 <= estimate.high <= max(values) + 1e-9
    assert over_seeds([*values, np.nan]).value == estimate.value  # a seed that gave no hint says nothing


def test_bots_read_what_hle_shows():
    reference = HanabiReference(20, MINI, autoreset=False)
    ours = new_games("hanabi-mini", 20)
    bot = make_bot("color", MINI)
    theirs, step = reference.reset(4), ours.reset(4)
    seat = bot.sit(20, 0)
    while not step.done.all():
        rows = np.flatnonzero(~step.done)
        move = np.zeros(20, np.int64)
        move[rows] = seat.act(step, rows)
        assert (move[rows] == seat.act(theirs, rows)).all()
        theirs, step = reference.step(move), ours.step(move)
