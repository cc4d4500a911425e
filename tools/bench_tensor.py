#!/usr/bin/env python3
"""A training step and an inference of a small encoder: our engine against PyTorch, taking turns in one run.

    pip install torch
    cargo bench -p lotwise-tensor --no-run        # prints the path of the benchmark
    tools/bench_tensor.py --rust PATH_OF_THE_BENCHMARK [--threads 1,2] [--rounds 5] [--compile]

The job: 320 windows of 60 bars with 16 features, a linear layer, 4 pre-norm blocks (4 heads, 256 hidden), the mean
over bars, a linear head; forward, backward and AdamW. Inference: 10 windows. Both sides get the same number of
threads; each round runs every job once on each side, a few repetitions each. The table shows medians over the rounds
of the wall clock, the least time in brackets, and in square brackets the time spent on processors, which a busy machine
disturbs least (PyTorch's threads wait by spinning). Attention is PyTorch's own fused one. `--compile` asks `torch.compile` as
well, which needs a C++ compiler; where it fails, its last line says why.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time


def processor_ms() -> float:
    """Milliseconds that the threads of this process have spent on a processor."""
    tasks = [f"/proc/self/task/{task}/schedstat" for task in os.listdir("/proc/self/task")]
    return sum(int(open(task).read().split()[0]) for task in tasks) / 1e6


def peer(job: str, threads: int, repeats: int, compiled: bool) -> dict:
    """Runs in a process of its own, so that thread counts stick."""
    import torch
    import torch.nn as nn
    import torch.nn.functional as F

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    dim = 128 if job.endswith("128") else 64

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
            self.qkv, self.out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
            self.up, self.down = nn.Linear(dim, 256), nn.Linear(256, dim)

        def forward(self, x):
            batch, bars, _ = x.shape
            q, k, v = self.qkv(self.norm1(x)).view(batch, bars, 3, 4, dim // 4).permute(2, 0, 3, 1, 4)
            answers = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, bars, dim)
            x = x + self.out(answers)
            return x + self.down(F.gelu(self.up(self.norm2(x))))

    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.input, self.head = nn.Linear(16, dim), nn.Linear(dim, 1)
            self.blocks = nn.Sequential(*(Block() for _ in range(4)))

        def forward(self, x):
            return self.head(self.blocks(self.input(x)).mean(1)).squeeze(-1)

    model = Encoder()
    forward = torch.compile(model) if compiled else model
    if job.startswith("train"):
        optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01, fused=True)
        x, y = torch.randn(320, 60, 16), torch.randn(320)

        def step():
            loss = F.mse_loss(forward(x), y)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            return loss.item()

    else:
        model.eval()
        x = torch.randn(500 if "500x" in job else 10, 60, 16)
        repeats *= 10

        def step():
            with torch.inference_mode():
                return forward(x)[0].item()

    times, busy = [], []
    for i in range(repeats + 3):
        start, before = time.perf_counter(), processor_ms()
        step()
        if i >= 3:
            times.append((time.perf_counter() - start) * 1e3)
            busy.append(processor_ms() - before)
    return {"median_ms": statistics.median(times), "least_ms": min(times), "processor_ms": statistics.median(busy)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rust", help="path of the benchmark")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--jobs", default="train64,train128,infer64,infer128")
    parser.add_argument("--compile", action="store_true", help="PyTorch with torch.compile as well")
    parser.add_argument("--peer", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        print(json.dumps(peer(options.peer, int(options.threads), options.repeats, options.compile)))
        return

    def ours(job: str, threads: int) -> dict:
        names = {"THREADS": threads, "REPEATS": options.repeats, "JOBS": job}
        env = os.environ | {f"LOTWISE_BENCH_{key}": str(value) for key, value in names.items()}
        return json.loads(subprocess.run([options.rust], env=env, check=True, capture_output=True, text=True).stdout)

    def theirs(job: str, threads: int, compiled: bool) -> dict | None:
        command = [sys.executable, __file__, "--peer", job, "--threads", str(threads), "--repeats", str(options.repeats)]
        command += ["--compile"] if compiled else []
        env = os.environ | {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
        ran = subprocess.run(command, env=env, capture_output=True, text=True)
        if ran.returncode == 0:
            return json.loads(ran.stdout)
        # What torch.compile needs (a C++ compiler, for one) may not be there: say so by name and go on without.
        print(f"{job} failed: {ran.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return None

    sides = {"ours": ours, "eager": lambda job, threads: theirs(job, threads, False)}
    if options.compile:
        sides["compiled"] = lambda job, threads: theirs(job, threads, True)
    seen: dict = {}
    for round_ in range(options.rounds):
        for threads in map(int, options.threads.split(",")):
            for job in options.jobs.split(","):
                for side, run in sides.items():
                    if result := run(job, threads):
                        seen.setdefault((job, threads), {}).setdefault(side, []).append(result)
        print(f"round {round_ + 1} of {options.rounds}, load {os.getloadavg()[0]:.1f}", file=sys.stderr)
    others = list(sides)[1:]
    headings = [f"{side}, ms (least) [processor]" for side in sides] + [f"ratio to {other}" for other in others]
    print("| job | threads | " + " | ".join(headings) + " |\n|---|---|" + "---|" * len(headings))
    for (job, threads), results in seen.items():
        def cell(side: str) -> list | None:
            rows = results.get(side)
            if not rows:
                return None
            middle = [statistics.median(row[key] for row in rows) for key in ("median_ms", "processor_ms")]
            return [middle[0], min(row["least_ms"] for row in rows), middle[1]]

        cells = {side: cell(side) for side in sides}
        shown = ["{:.1f} ({:.1f}) [{:.1f}]".format(*times) if times else "failed" for times in cells.values()]
        for other in others:
            ratio = [ours / theirs for ours, theirs in zip(cells["ours"], cells[other] or [])]
            shown.append("{:.2f} ({:.2f}) [{:.2f}]".format(*ratio) if ratio else "–")
        print(f"| {job} | {threads} | " + " | ".join(shown) + " |")


if __name__ == "__main__":
    main()
