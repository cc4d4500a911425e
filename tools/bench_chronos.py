#!/usr/bin/env python3
"""The encoder of Chronos-T5-small: our engine against PyTorch, taking turns in one run.

    pip install chronos-forecasting "transformers<5" safetensors
    cargo build --release
    tools/bench_chronos.py --ours target/release/lotwise [--threads 1,2] [--rounds 7]

Jobs: states of 10 series of 512 and of 64 closes, tokens and all, with random weights in the published sizes (f32). Both
sides take turns with the same number of threads: ours is `lotwise bench chronos`, which loads and warms up before it counts,
PyTorch stays loaded; each round counts the median of its repetitions. The
table shows medians over the rounds of the clock on the wall, in brackets the least, and in square brackets the time spent on
processors, which a busy machine disturbs least (with one thread; PyTorch's threads wait by spinning). `--priority -10` raises the
priority of both sides alike (PyTorch's threads suffer most where others take the cores).
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile


def processor_ms() -> float:
    """Milliseconds that the threads of this process have spent on a processor."""
    tasks = [f"/proc/self/task/{task}/schedstat" for task in os.listdir("/proc/self/task")]
    return sum(int(open(task).read().split()[0]) for task in tasks) / 1e6


def peer(folder: str, windows: int, length: int, threads: int, repeats: int) -> None:
    """Answers each line on standard input with the milliseconds of every repetition."""
    import time

    import torch
    from chronos import ChronosPipeline

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    pipeline = ChronosPipeline.from_pretrained(folder, device_map="cpu", dtype=torch.float32)
    walks = torch.exp(4 + torch.cumsum(0.02 * torch.randn(windows, length), dim=1))
    for _ in sys.stdin:
        times = []
        for _ in range(repeats):
            start, busy = time.perf_counter(), processor_ms()
            with torch.inference_mode():
                tokens, mask, _ = pipeline.tokenizer.context_input_transform(walks)
                pipeline.model.encode(input_ids=tokens, attention_mask=mask)
            times.append([(time.perf_counter() - start) * 1e3, processor_ms() - busy])
        print(json.dumps(times), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", required=True, help="the built program")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--lengths", default="512,64")
    parser.add_argument("--size", default="small")
    parser.add_argument("--priority", type=int, default=0)
    parser.add_argument("--peer", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        return peer(options.peer[0], *map(int, options.peer[1:]))
    sys.path.insert(0, str(pathlib.Path(__file__).parent))
    import chronos_parity
    import torch

    torch.manual_seed(1)
    os.setpriority(os.PRIO_PROCESS, 0, options.priority)
    with tempfile.TemporaryDirectory() as folder:
        chronos_parity.make_t5(folder, chronos_parity.SIZES[options.size])
        print("| series | threads | ours, ms (least) [processor] | PyTorch, ms (least) [processor] | ratio |\n|---|---|---|---|---|")
        for threads in map(int, options.threads.split(",")):
            env = os.environ | {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
            for length, repeats in [(length, 1 if length > 100 else 3) for length in map(int, options.lengths.split(","))]:
                job = [folder, "10", str(length), str(threads), str(repeats)]
                torch_side = subprocess.Popen(
                    [sys.executable, __file__, "--ours", options.ours, "--peer", *job],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env,
                )
                sizes = ["--series", "10", "--lengths", str(length), "--threads", str(threads), "--repeats", str(repeats)]
                command = [options.ours, "bench", "chronos", "--weights", folder, *sizes, "--json"]
                seen = {"ours": [], "torch": []}
                # The first two rounds warm up.
                for round_ in range(options.rounds + 2):
                    (result,) = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["data"]["results"]
                    torch_side.stdin.write("\n")
                    torch_side.stdin.flush()
                    times = json.loads(torch_side.stdout.readline())
                    if round_ > 1:
                        seen["ours"].append([result["value"], result["processor"]])
                        seen["torch"].append([statistics.median(column) for column in zip(*times)])
                torch_side.stdin.close()
                torch_side.wait()
                cells = {}
                for name, times in seen.items():
                    wall, busy = zip(*times)
                    cells[name] = [statistics.median(wall), min(wall), statistics.median(busy)]
                ratio = [ours / theirs for ours, theirs in zip(cells["ours"], cells["torch"])]
                cells, ratio = [" | ".join("{:.1f} ({:.1f}) [{:.1f}]".format(*cell) for cell in cells.values()), "{:.2f} ({:.2f}) [{:.2f}]".format(*ratio)]
                print(f"| 10 × {length} | {threads} | {cells} | {ratio} |", flush=True)
    print(f"load average {os.getloadavg()[0]:.1f}", file=sys.stderr)


if __name__ == "__main__":
    main()
