#!/usr/bin/python3
"""One step and a few steps of the attentive probe by PyTorch's own modules: the oracle of attentive_test.cc.

Usage: attentive_oracle.py CASE... Needs Debian's python3-torch. Each CASE is a folder with case.json (images, tokens,
channels, heads, outputs, loss, and of the several steps: steps, rate, decay) and float32 files tokens.bin, targets.bin,
query.bin, keys.bin, values.bin, weights.bin, intercepts.bin. Written beside them, computed in double: scores.bin,
loss.bin, NAME.gradient.bin of each parameter, and NAME.after.bin after those steps of AdamW.

The pooling is torch.nn.MultiheadAttention: its query projection and its output layer are the identity, its keys' and
values' projections are ours. The linear layer is torch.nn.Linear.
"""
import json
import sys

import numpy
import torch
from torch import nn
from torch.nn import functional


class Probe(nn.Module):
    def __init__(self, case, read):
        super().__init__()
        channels = case["channels"]
        self.query = nn.Parameter(read("query", (1, 1, channels)))
        self.pool = nn.MultiheadAttention(channels, case["heads"], bias=False, batch_first=True)
        self.head = nn.Linear(channels, case["outputs"])
        self.identity = torch.eye(channels, dtype=torch.float64)
        self.double()
        projections = [self.identity, read("keys", (channels, channels)), read("values", (channels, channels))]
        self.pool.in_proj_weight.data = torch.cat(projections)
        self.pool.out_proj.weight.data = self.identity
        self.pool.out_proj.weight.requires_grad_(False)
        self.head.weight.data = read("weights", (-1, channels))
        self.head.bias.data = read("intercepts", (-1,))

    def forward(self, x):
        return self.head(self.pool(self.query.expand(len(x), -1, -1), x, x)[0][:, 0])

    def keep_identity(self):
        self.pool.in_proj_weight.data[: len(self.identity)] = self.identity

    def parts(self, of):
        _, keys, values = of(self.pool.in_proj_weight).chunk(3)
        return {"query": of(self.query), "keys": keys, "values": values, "weights": of(self.head.weight),
                "intercepts": of(self.head.bias)}


def loss_of(scores, targets, kind):
    if kind == "softmax":
        return functional.cross_entropy(scores, targets)  # of probabilities
    if kind == "sigmoid":
        each = functional.binary_cross_entropy_with_logits(scores, targets, reduction="none")
        return each[targets >= 0].sum() / len(scores)
    return functional.mse_loss(scores, targets, reduction="sum") / (2 * len(scores))


def run(folder):
    with open(f"{folder}/case.json", encoding="utf-8") as file:
        case = json.load(file)

    def read(name, shape):
        return torch.from_numpy(numpy.fromfile(f"{folder}/{name}.bin", numpy.float32)).double().view(shape)

    def write(name, tensor):
        tensor.detach().contiguous().float().numpy().tofile(f"{folder}/{name}.bin")

    x = read("tokens", (case["images"], case["tokens"], case["channels"]))
    x = (x - x.mean((0, 1))) / (x.var((0, 1), unbiased=False) + 1e-6).sqrt()
    targets = read("targets", (case["images"], case["outputs"]))
    probe = Probe(case, read)
    scores = probe(x)
    loss = loss_of(scores, targets, case["loss"])
    loss.backward()
    write("scores", scores)
    write("loss", loss)
    for name, gradient in probe.parts(lambda parameter: parameter.grad).items():
        write(f"{name}.gradient", gradient)
    adamw = torch.optim.AdamW([{"params": [probe.query, probe.head.bias], "weight_decay": 0},
                               {"params": [probe.pool.in_proj_weight, probe.head.weight]}],
                              lr=case["rate"], weight_decay=case["decay"])
    for _ in range(case["steps"]):
        adamw.zero_grad()
        loss_of(probe(x), targets, case["loss"]).backward()
        adamw.step()
        probe.keep_identity()
    for name, parameter in probe.parts(lambda parameter: parameter.data).items():
        write(f"{name}.after", parameter)


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        run(argument)
