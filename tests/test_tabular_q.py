import numpy as np
import pytest

from benchmarks.plain_q import PlainQ, initial_values
from rl.checkpoint import load_checkpoint, save_checkpoint
from rl.config import TabularQConfig
from rl.evaluate import adherence, self_play
from rl.tabular_q import TabularQ
from schemas.errors import StoreError


def prior(same: float = 0.8, quit_: float = 0.05) -> np.ndarray:
    table = np.full((5, 6), (1 - same - quit_) / 4)
    table[:, 5] = quit_
    table[np.arange(5), np.arange(5)] = same
    return np.log(table)


def trained(learner: TabularQ, episodes: int) -> TabularQ:
    for _ in learner.train(episodes):
        pass
    return learner


@pytest.mark.parametrize("log_prior", [None, prior()])
def test_agrees_with_the_plain_loop_decision_for_decision(log_prior):
    learner = TabularQ(TabularQConfig(), log_prior, [5])
    plain = PlainQ(5, 0.25, log_prior, initial_values(learner.arrays["q"][0]))
    plain.train(400)
    trained(learner, 400)
    assert learner.arrays["rng"][0, 0] == plain.random.state  # every decision and every draw was the same
    ours = initial_values(learner.arrays["q"][0])
    assert max(abs(ours[entry] - value) for entry, value in plain.q.items()) < 1e-9


def test_results_do_not_depend_on_the_other_seeds():
    alone = trained(TabularQ(TabularQConfig(), prior(), [3]), 1000)
    among = trained(TabularQ(TabularQConfig(), prior(), [1, 3, 8]), 1000)
    for name in ("q", "best_q", "rng", "replay_entries"):
        assert np.array_equal(alone.arrays[name][0], among.arrays[name][1])


def test_a_restored_learner_ends_where_an_uninterrupted_one_ends(tmp_path):
    config = TabularQConfig()
    info = {"config": {"q": config.model_dump(), "seed": 1, "seeds": 2}}
    whole = trained(TabularQ(config, prior(), [1, 2]), 3000)
    first = trained(TabularQ(config, prior(), [1, 2]), 1000)
    save_checkpoint(tmp_path, first.arrays, info)
    second, _ = TabularQ.restore(*load_checkpoint(tmp_path))
    trained(second, 3000)
    for name, array in whole.arrays.items():
        assert np.array_equal(array, second.arrays[name]), name


def test_with_the_prior_bob_is_human_and_without_it_he_is_not():
    for log_prior, human in ((prior(), 3), (None, 0)):
        alice, bob = trained(TabularQ(TabularQConfig(), log_prior, [1, 2, 3]), 50_000).greedy_policies()
        assert (self_play(alice, bob) > 0.99).all()
        assert (adherence(bob) == 1).sum() == human


def test_lambda_zero_is_plain_q():
    plain = trained(TabularQ(TabularQConfig(), None, [1]), 500)
    zero = trained(TabularQ(TabularQConfig(lam=0), prior(), [1]), 500)
    assert np.array_equal(plain.arrays["q"], zero.arrays["q"])


def test_alice_can_be_regularized_too():
    hard = np.where(np.eye(5, 6, dtype=bool), 0.0, -50.0)
    alice, _ = TabularQ(TabularQConfig(lam_alice=1.0), hard, [1]).greedy_policies()
    assert (alice[0][:, 1:] == np.arange(5)).all()  # she repeats what Bob selected last, as the instruction says


def test_broken_checkpoints_are_named(tmp_path):
    with pytest.raises(StoreError, match="has none"):
        load_checkpoint(tmp_path)
    (tmp_path / "state.safetensors").write_bytes(b"garbage")
    with pytest.raises(StoreError, match="cannot be read"):
        load_checkpoint(tmp_path)
