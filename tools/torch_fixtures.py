#!/usr/bin/env python3
"""Writes what PyTorch computes for small seeded inputs, for the tests of crates/tensor.

    pip install torch safetensors
    tools/torch_fixtures.py crates/tensor/tests/it/fixtures/torch.safetensors

Each case stores its inputs, its output and the gradient of every input for the loss `sum(output * weights)`, under
`CASE/in/NAME`, `CASE/out`, `CASE/weights` and `CASE/grad/NAME`. `adamw` stores three steps of the optimiser.
"""

import math
import sys

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

torch.manual_seed(20260101)
torch.set_num_threads(1)
saved = {}


def case(name, build, **inputs):
    inputs = {key: value.clone().requires_grad_() for key, value in inputs.items()}
    out = build(**inputs)
    weights = torch.randn(out.shape)
    (out * weights).sum().backward()
    for key, value in inputs.items():
        saved[f"{name}/in/{key}"] = value.detach()
        saved[f"{name}/grad/{key}"] = value.grad
    saved[f"{name}/out"] = out.detach()
    saved[f"{name}/weights"] = weights


x = torch.randn(7, 3, 5) * 2
for name in ("relu", "sigmoid", "tanh", "exp", "square", "abs"):
    case(name, lambda x, name=name: getattr(torch, name)(x), x=x)
case("gelu", lambda x: F.gelu(x), x=x)
case("softplus", lambda x: F.softplus(x), x=x)
case("log", lambda x: x.log(), x=x.abs() + 0.1)
case("sqrt", lambda x: x.sqrt(), x=x.abs() + 0.1)
case("clamp", lambda x: x.clamp(-0.7, 1.1), x=x)
case("huber", lambda x: F.huber_loss(x, torch.zeros_like(x), reduction="none", delta=0.8), x=x)
case("softmax", lambda x: F.softmax(x, -1), x=x)
case("log_softmax", lambda x: F.log_softmax(x, -1), x=x)
case("layer_norm", lambda x, gain, shift: F.layer_norm(x, (5,), gain, shift, 1e-5), x=x, gain=torch.randn(5), shift=torch.randn(5))
case("rms_norm", lambda x, gain: F.rms_norm(x, (5,), gain, 1e-6), x=x, gain=torch.randn(5))
case("div", lambda a, b: a / b, a=x, b=torch.rand(3, 1) + 0.5)
case("minimum", lambda a, b: torch.minimum(a, b), a=x, b=torch.randn(5))
case("matmul", lambda a, b: a @ b, a=torch.randn(7, 3, 13), b=torch.randn(13, 5))
case("matmul_nt", lambda a, b: a @ b.transpose(-1, -2), a=torch.randn(3, 7, 13), b=torch.randn(3, 5, 13))
case("cosine", lambda a, b: F.cosine_similarity(a, b, -1), a=torch.randn(7, 13), b=torch.randn(7, 13))
case("cross_entropy", lambda x: F.cross_entropy(x, torch.tensor([4, 0, 2, 4]))[None], x=torch.randn(4, 5))
case("embedding", lambda table: F.embedding(torch.tensor([6, 0, 0, 3]), table), table=torch.randn(7, 5))


def block(x, heads, keep, t5, bias=None, **p):
    """The pre-norm block with `[inputs, outputs]` weights, and that of T5 without biases and scaling."""
    batch, time, dim = x.shape
    norm = lambda x, i: (
        F.rms_norm(x, (dim,), p[f"norm{i}.gain"], 1e-5)
        if t5
        else F.layer_norm(x, (dim,), p[f"norm{i}.gain"], p[f"norm{i}.shift"], 1e-5)
    )
    linear = lambda x, name: x @ p[f"{name}.weight"] + (0 if t5 else p[f"{name}.bias"])
    q, k, v = linear(norm(x, 1), "qkv").view(batch, time, 3, heads, -1).permute(2, 0, 3, 1, 4)
    scores = q @ k.transpose(-1, -2) * (1 if t5 else 1 / math.sqrt(q.shape[-1]))
    if bias is not None:
        scores = scores + bias
    scores = scores.masked_fill(keep[:, None, None, :] == 0, float("-inf"))
    answers = (scores.softmax(-1) @ v).transpose(1, 2).reshape(batch, time, -1)
    x = x + linear(answers, "out")
    return x + linear((F.relu if t5 else F.gelu)(linear(norm(x, 2), "up")), "down")


def block_case(name, t5):
    batch, time, dim, heads, head_dim, hidden = 3, 7, 12, 2, 5, 11
    sizes = {"qkv": (dim, 3 * heads * head_dim), "out": (heads * head_dim, dim), "up": (dim, hidden), "down": (hidden, dim)}
    p = {}
    for i in (1, 2):
        p[f"norm{i}.gain"] = 1 + 0.3 * torch.randn(dim)
        if not t5:
            p[f"norm{i}.shift"] = 0.3 * torch.randn(dim)
    for part, size in sizes.items():
        p[f"{part}.weight"] = 0.4 * torch.randn(size)
        if not t5:
            p[f"{part}.bias"] = 0.3 * torch.randn(size[1])
    if t5:
        p["bias"] = torch.randn(heads, time, time)
    keep = torch.ones(batch, time)
    keep[0, 4:] = 0
    keep[2, 0] = 0
    case(name, lambda x, **p: block(x, heads, keep, t5, **p), x=torch.randn(batch, time, dim), **p)
    saved[f"{name}/keep"] = keep


block_case("block", t5=False)
block_case("block_t5", t5=True)

case(
    "mlp",
    lambda x, w0, b0, w1, b1: F.gelu(x @ w0 + b0) @ w1 + b1,
    x=torch.randn(7, 3, 13), w0=torch.randn(13, 9), b0=torch.randn(9), w1=torch.randn(9, 2), b1=torch.randn(2),
)  # fmt: skip

# Three steps of AdamW with decay, on a matrix whose gradient is clipped to a global norm of 1.
weight = torch.randn(3, 5, requires_grad=True)
saved["adamw/start"] = weight.detach().clone()
optimiser = torch.optim.AdamW([weight], lr=0.05, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1)
for step in range(3):
    optimiser.zero_grad()
    (weight**2 * 3).sum().backward()
    torch.nn.utils.clip_grad_norm_([weight], 1.0)
    optimiser.step()
    saved[f"adamw/step{step}"] = weight.detach().clone()

save_file({key: value.contiguous() for key, value in saved.items()}, sys.argv[1], {"torch": torch.__version__})
