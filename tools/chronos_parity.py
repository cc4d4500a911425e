#!/usr/bin/env python3
"""Compares our Chronos encoders with the reference package on windows of real closes.

    pip install chronos-forecasting "transformers<5" safetensors polars
    cargo build --release -p lotwise-nn --example chronos
    tools/chronos_parity.py --ours target/release/examples/chronos --prices ../shared/data/prices_daily.parquet
    tools/chronos_parity.py --fixture crates/nn/tests/it/fixtures

Both architectures are built with seeded random weights in the published sizes, saved as the hub's files are, and read by
both sides. The weights are scaled so that attention is as decided as in a trained network. The windows: 100 draws of
(ticker, last day, length of 17 to 600 days), of which a third gets missing values in the middle, a third leading ones,
and all shorter ones of a batch are padded in front. Every position is compared, masked ones too. Exit 1 where a
difference is above 1e-5. `--fixture` writes tiny networks with invented series and the reference's states, for the tests.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import torch
from chronos import BaseChronosPipeline, ChronosBoltPipeline, ChronosPipeline
from chronos.chronos_bolt import ChronosBoltModelForForecasting
from safetensors.torch import load_file, save_file
from transformers import T5Config, T5ForConditionalGeneration

BOUND = 1e-5
#        d_model, d_kv, d_ff, layers, heads
SIZES = {"tiny": (256, 64, 1024, 4, 4), "mini": (384, 64, 1536, 4, 8), "small": (512, 64, 2048, 6, 8)}


def config(size, **more):
    d_model, d_kv, d_ff, layers, heads = size
    return T5Config(
        d_model=d_model, d_kv=d_kv, d_ff=d_ff, num_layers=layers, num_decoder_layers=1, num_heads=heads,
        relative_attention_num_buckets=32, relative_attention_max_distance=128, dropout_rate=0.1,
        layer_norm_epsilon=1e-6, initializer_factor=0.05, feed_forward_proj="relu", is_encoder_decoder=True,
        pad_token_id=0, eos_token_id=1, decoder_start_token_id=0, n_positions=512, **more,
    )  # fmt: skip


def liven(model):
    """Fresh weights say next to nothing: makes them as large as trained ones, and gains differ from 1."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim == 2:
                parameter.mul_(20.0)
            elif "layer_norm" in name:
                parameter.copy_(1.0 + 0.1 * torch.randn_like(parameter))
            elif "bias" in name:
                parameter.add_(0.1 * torch.randn_like(parameter))


def make_t5(folder, size, tokens=4096, limit=15.0, context=512, bf16=False):
    model = T5ForConditionalGeneration(config(size, vocab_size=tokens)).eval()
    liven(model)
    model.config.chronos_config = dict(
        tokenizer_class="MeanScaleUniformBins", tokenizer_kwargs=dict(low_limit=-limit, high_limit=limit),
        n_tokens=tokens, n_special_tokens=2, pad_token_id=0, eos_token_id=1, use_eos_token=True, model_type="seq2seq",
        context_length=context, prediction_length=64, num_samples=20, temperature=1.0, top_k=50, top_p=1.0,
    )  # fmt: skip
    (model.to(torch.bfloat16) if bf16 else model).save_pretrained(folder, safe_serialization=True)


def make_bolt(folder, size, register=True, context=2048, patch=16, stride=16, bf16=False):
    settings = config(size)
    settings.chronos_config = dict(
        context_length=context, prediction_length=64, input_patch_size=patch, input_patch_stride=stride,
        quantiles=[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9], use_reg_token=register,
    )  # fmt: skip
    settings.chronos_pipeline_class = "ChronosBoltPipeline"
    settings.architectures = ["ChronosBoltModelForForecasting"]
    model = ChronosBoltModelForForecasting(settings).eval()
    liven(model)
    (model.to(torch.bfloat16) if bf16 else model).save_pretrained(folder, safe_serialization=True)


def reference(folder):
    kind = ChronosBoltPipeline if "Bolt" in pathlib.Path(folder, "config.json").read_text() else ChronosPipeline
    pipeline = kind.from_pretrained(folder, device_map="cpu", dtype=torch.float32)
    return lambda windows: pipeline.embed(torch.tensor(windows, dtype=torch.float32))[0].float().contiguous()


def real_windows(prices, count, seed):
    """Batches of windows of closes by name, shorter ones padded in front."""
    import polars

    table = polars.read_parquet(prices, columns=["date", "ticker", "close"]).sort(["ticker", "date"])
    closes = [part["close"].to_numpy() for part in table.partition_by("ticker", maintain_order=True)]
    draw = np.random.default_rng(seed)
    windows = []
    while len(windows) < count:
        series = closes[draw.integers(len(closes))]
        length = int(draw.choice([17, 60, 60, 61, 64, 100, 256, 512, 600]))
        if len(series) < length:
            continue
        end = draw.integers(length, len(series) + 1)
        window = series[end - length : end].astype(np.float64).copy()
        if len(windows) % 3 == 1:
            window[draw.integers(0, length, size=max(1, length // 10))] = np.nan
        if len(windows) % 3 == 2:
            window[: draw.integers(1, length)] = np.nan
        windows.append(window)
    batches = {}
    for i in range(0, count, 10):
        longest = max(len(window) for window in windows[i : i + 10])
        padded = [np.concatenate([np.full(longest - len(w), np.nan), w]) for w in windows[i : i + 10]]
        batches[f"batch.{i // 10}"] = np.stack(padded).astype(np.float32)
    # And by equal lengths, without padding.
    for length in sorted({len(window) for window in windows}):
        batches[f"length.{length}"] = np.stack([w for w in windows if len(w) == length]).astype(np.float32)
    return batches


def compare(ours, folder, batches, scratch):
    save_file({name: torch.tensor(batch) for name, batch in batches.items()}, f"{scratch}/in.safetensors")
    subprocess.run([ours, "embed", folder, f"{scratch}/in.safetensors", f"{scratch}/out.safetensors"], check=True, stdout=subprocess.DEVNULL)
    states, embed = load_file(f"{scratch}/out.safetensors"), reference(folder)
    worst, size, windows = 0.0, 0.0, 0
    for name, batch in batches.items():
        expected = embed(batch)
        assert expected.shape == states[name].shape, (name, expected.shape, states[name].shape)
        worst = max(worst, float((expected - states[name]).abs().max()))
        size = max(size, float(expected.abs().max()))
        windows += len(batch)
    return worst, size, windows


def fixture(folder):
    """Tiny networks, invented series, and the reference's states."""
    draw = np.random.default_rng(11)
    walk = 50 * np.exp(np.cumsum(0.02 * draw.standard_normal((5, 45)), axis=1))
    walk[1, :20] = np.nan
    walk[2, 30] = np.nan
    walk[3, [0, 5, 6, 44]] = np.nan
    walk[4, :] = walk[4, 0]
    folder.mkdir(parents=True, exist_ok=True)
    made = [
        ("t5", lambda out: make_t5(out, (12, 4, 20, 2, 3), tokens=128, limit=3.0, context=40)),
        ("bolt", lambda out: make_bolt(out, (12, 4, 20, 2, 3), register=True)),
        ("bolt_plain", lambda out: make_bolt(out, (12, 4, 20, 2, 3), register=False, patch=8, stride=4, context=32, bf16=True)),
    ]
    for name, make in made:
        out = folder / f"chronos_{name}"
        make(str(out))
        for extra in out.glob("generation_config.json"):
            extra.unlink()
        # The encoder alone: what else the published file holds is not read.
        weights = load_file(str(out / "model.safetensors"))
        kept = {key: value for key, value in weights.items() if not key.startswith(("decoder.", "lm_head.", "output_patch"))}
        windows = walk.astype(np.float32)
        states = reference(str(out))(windows)
        save_file(kept, str(out / "model.safetensors"), metadata={"format": "pt"})
        save_file({"windows": torch.tensor(windows), "states": states}, str(folder / f"chronos_{name}.safetensors"))
        print(name, tuple(states.shape), sum(f.stat().st_size for f in out.iterdir()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", help="the built example")
    parser.add_argument("--prices", help="a parquet file with ticker, date, close")
    parser.add_argument("--windows", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sizes", default="tiny,mini,small")
    parser.add_argument("--fixture", type=pathlib.Path, help="write the fixture of the tests to this folder and stop")
    arguments = parser.parse_args()
    torch.manual_seed(1234 + arguments.seed)
    if arguments.fixture:
        return fixture(arguments.fixture)
    batches = real_windows(arguments.prices, arguments.windows, arguments.seed)
    failed = False
    with tempfile.TemporaryDirectory() as scratch:
        for name in arguments.sizes.split(","):
            for kind, make in [
                ("t5", lambda out: make_t5(out, SIZES[name])),
                ("t5 bf16", lambda out: make_t5(out, SIZES[name], bf16=True)),
                ("bolt", lambda out: make_bolt(out, SIZES[name])),
                ("bolt without REG", lambda out: make_bolt(out, SIZES[name], register=False)),
            ]:
                folder = f"{scratch}/{kind}-{name}".replace(" ", "-")
                make(folder)
                worst, size, windows = compare(arguments.ours, folder, batches, scratch)
                failed |= not worst <= BOUND
                print(json.dumps({"network": f"{kind} {name}", "windows": windows, "largest_difference": worst, "largest_state": size}), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
