"""Networks over observations: an MLP and the public-private LSTM, with one interface.

A network reads what the player to act sees and returns A + 1 numbers: A logits or advantages, and a value. A
recurrent one remembers, for every seat, what that seat saw at its own moves.
"""

import itertools
from typing import Literal

import torch
from torch import Tensor, nn


class MLP(nn.Module):
    """Fully connected layers with ReLU; it has no memory."""

    state_size = 0

    def __init__(self, obs_size: int, outputs: int, hidden: int, layers: int) -> None:
        super().__init__()
        sizes = [obs_size, *[hidden] * layers]
        self.body = nn.Sequential(
            *(part for a, b in itertools.pairwise(sizes) for part in (nn.Linear(a, b), nn.ReLU()))
        )
        self.head = nn.Linear(hidden, outputs)
        _orthogonal(self, self.head)

    def forward(self, obs: Tensor) -> Tensor:
        """Map observations float[..., D] to float32[..., outputs]."""
        return self.head(self.body(obs)).float()

    def step(self, obs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One move: obs [B, D], state [B, 0] -> outputs [B, outputs], state [B, 0]."""
        return self(obs), state

    def unroll(self, obs: Tensor, state: Tensor, starts: Tensor) -> Tensor:
        """Moves of one seat in order: obs [T, B, D] -> outputs [T, B, outputs]."""
        return self(obs)


class PublicLSTM(nn.Module):
    """Public-private LSTM: the partners' hands, which their owners cannot see, stay out of the recurrent path.

    What is public runs through an LSTM, everything through a feed-forward net, and the two are multiplied (the net of
    Hu et al., "Off-Belief Learning", 2021, that the paper trains).
    """

    def __init__(self, obs_size: int, private_size: int, outputs: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.private_size, self.hidden, self.layers = private_size, hidden, layers
        self.state_size = 2 * hidden * layers
        self.private = nn.Sequential(nn.Linear(obs_size, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU())
        self.public = nn.Sequential(nn.Linear(obs_size - private_size, hidden), nn.ReLU())
        self.input = nn.ModuleList(nn.Linear(hidden, 4 * hidden) for _ in range(layers))
        self.recurrent = nn.ModuleList(nn.Linear(hidden, 4 * hidden, bias=False) for _ in range(layers))
        self.head = nn.Linear(hidden, outputs)
        _orthogonal(self, self.head)
        for gates in self.input:  # forget little at first
            nn.init.ones_(gates.bias[hidden : 2 * hidden])

    def step(self, obs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One move: obs [B, D], state [B, S] -> outputs [B, outputs], the new state [B, S]."""
        x = self.public(obs[..., self.private_size :])
        h, c = state.view(len(obs), 2, self.layers, self.hidden).unbind(1)
        new = []
        for layer, (gates, recurrent) in enumerate(zip(self.input, self.recurrent, strict=True)):
            x, memory = _cell(gates(x) + recurrent(h[:, layer]), c[:, layer])
            new.append((x, memory))
        out = self.head(x * self.private(obs)).float()
        hs, cs = (torch.stack(part, dim=1).float() for part in zip(*new, strict=True))
        return out, torch.stack([hs, cs], dim=1).flatten(1)

    def unroll(self, obs: Tensor, state: Tensor, starts: Tensor) -> Tensor:
        """Moves of one seat in order: obs [T, B, D], state [B, S] before them -> outputs [T, B, outputs].

        `starts`, bool[T, B], marks the first move of a game, before which memory is empty.
        """
        x = self.public(obs[..., self.private_size :])
        keep = (~starts).to(x.dtype)[..., None]
        first_h, first_c = state.view(-1, 2, self.layers, self.hidden).unbind(1)
        for layer, (gates, recurrent) in enumerate(zip(self.input, self.recurrent, strict=True)):
            inputs, h, c, outputs = gates(x), first_h[:, layer], first_c[:, layer], []
            for t in range(len(obs)):
                h, c = _cell(inputs[t] + recurrent(h * keep[t]), c * keep[t])
                outputs.append(h)
            x = torch.stack(outputs)
        return self.head(x * self.private(obs)).float()


Network = MLP | PublicLSTM


def make_network(
    kind: Literal["mlp", "publ-lstm"], obs_size: int, private_size: int, outputs: int, hidden: int, layers: int
) -> Network:
    """Build a network; `private_size` features at the front of the observation are hidden from a partner."""
    if kind == "mlp":
        return MLP(obs_size, outputs, hidden, layers)
    return PublicLSTM(obs_size, private_size, outputs, hidden, layers)


def _cell(gates: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """Apply an LSTM's gates (input, forget, cell, output) [B, 4H] to the memory c [B, H]."""
    i, f, g, o = gates.chunk(4, dim=-1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def _orthogonal(net: nn.Module, head: nn.Linear) -> None:
    """Orthogonal weights and zero biases; a small head, so that the first policy is near uniform."""
    for module in net.modules():
        if isinstance(module, nn.Linear):
            nn.init.orthogonal_(module.weight, 2**0.5)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    nn.init.orthogonal_(head.weight, 0.01)
