"""Regularizers and networks: the laws that the learners rely on."""

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rl.networks import make_network
from rl.regularizer import entropy, kl_divergence, masked_log_softmax, regularized_scores, schedule

LOGITS = arrays(np.float32, (3, 5), elements=st.floats(-20, 20, width=32))
LEGAL = arrays(np.bool_, (3, 5)).map(lambda legal: legal | (np.arange(5) == 0))  # one legal action at least


@settings(deadline=None)
@given(LOGITS, LOGITS, LEGAL)
def test_kl_is_a_divergence_over_the_legal_actions(a, b, legal):
    legal = torch.from_numpy(legal)
    pi, prior = (masked_log_softmax(torch.from_numpy(x), legal) for x in (a, b))
    assert (pi.exp() * ~legal).sum() == 0
    torch.testing.assert_close(pi.exp().sum(-1), torch.ones(3))
    assert (kl_divergence(pi, prior, legal) > -1e-4).all()
    torch.testing.assert_close(kl_divergence(pi, pi, legal), torch.zeros(3))
    uniform = masked_log_softmax(torch.zeros(3, 5), legal)
    torch.testing.assert_close(  # KL to the uniform prior is what entropy lacks: the bonus that it replaces
        kl_divergence(pi, uniform, legal), legal.sum(-1).log() - entropy(pi, legal), atol=1e-4, rtol=1e-4
    )


def test_gradients_of_masked_actions_are_zero_and_finite():
    logits = torch.randn(2, 4, requires_grad=True)
    legal = torch.tensor([[True, False, True, True], [True, False, False, False]])
    log_prior = masked_log_softmax(torch.zeros(2, 4), legal)
    log_pi = masked_log_softmax(logits, legal)
    (kl_divergence(log_pi, log_prior, legal).sum() - entropy(log_pi, legal).sum()).backward()
    assert torch.isfinite(logits.grad).all()
    assert (logits.grad[~legal] == 0).all()


@settings(deadline=None)
@given(LOGITS, LOGITS, LEGAL)
def test_without_lambda_scores_are_q(q, prior, legal):
    q, legal = torch.from_numpy(q), torch.from_numpy(legal)
    log_prior = masked_log_softmax(torch.from_numpy(prior), legal)
    assert torch.equal(regularized_scores(q, log_prior, legal, 0.0), q.masked_fill(~legal, -torch.inf))
    best = regularized_scores(q, log_prior, legal, 1e6).argmax(-1, keepdim=True)  # a huge lambda obeys the prior
    assert (log_prior.gather(1, best)[:, 0] >= log_prior.max(-1).values - 1e-4).all()


@settings(deadline=None)
@given(st.floats(0.01, 2), st.floats(0.001, 2), st.sampled_from(["linear", "halving"]))
@example(start=2.0, end=0.001, kind="halving")
def test_lambda_goes_from_its_start_to_its_end(start, end, kind):
    end = min(start, end)
    values = [schedule(start, end, kind, share) for share in np.linspace(0, 1, 50)]
    assert values[0] == start
    assert values[-1] == pytest.approx(end)
    assert (np.diff(values) <= 0).all()
    assert schedule(start, None, kind, 0.7) == start


def test_halving_takes_equal_shares():
    values = [schedule(0.8, 0.1, "halving", share) for share in (0.0, 0.24, 0.26, 0.49, 0.51, 0.74, 0.76, 1.0)]
    assert values == pytest.approx([0.8, 0.8, 0.4, 0.4, 0.2, 0.2, 0.1, 0.1])


@pytest.mark.parametrize("layers", [1, 2])
def test_the_lstm_unrolls_as_it_steps_and_forgets_at_the_start_of_a_game(layers):
    torch.manual_seed(0)
    net = make_network("publ-lstm", obs_size=12, private_size=4, outputs=6, hidden=8, layers=layers)
    obs, state = torch.rand(7, 3, 12), torch.rand(3, net.state_size)
    starts = torch.rand(7, 3) < 0.3
    whole = net.unroll(obs, state, starts)
    for t in range(7):
        state = state * ~starts[t][:, None]
        out, state = net.step(obs[t], state)
        torch.testing.assert_close(out, whole[t])


def test_partners_hands_stay_out_of_the_memory_but_not_out_of_the_choice():
    torch.manual_seed(0)
    net = make_network("publ-lstm", obs_size=12, private_size=4, outputs=6, hidden=8, layers=1)
    obs, state = torch.rand(2, 12), torch.rand(2, net.state_size)
    other = obs.clone()
    other[:, :4] = torch.rand(2, 4)
    (out, memory), (changed, same) = net.step(obs, state), net.step(other, state)
    assert torch.equal(memory, same)
    assert not torch.equal(out, changed)
