#!/usr/bin/env python3
"""A price table into an aligned panel: Lotwise against polars and pandas, in turn, in one run.

    tools/bench_panel.py prices_daily.parquet [--rounds 5] [--pandas]

Each peer reads the file and pivots the six columns to sessions by tickers, each contender in a process of
its own in every round, so that all meet the same load of the machine; the medians are compared. Import and
start of Python are outside the measurement. Needs cargo and polars; with --pandas also pandas and pyarrow.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys

COLUMNS = ["open", "high", "low", "close", "adj_close", "volume"]

PEERS = {
    # One pivot of all columns at once, the shortest way to write it.
    "polars pivot": """
import polars
def work():
    table = polars.read_parquet(path, columns=["date", "ticker", *columns])
    return table.pivot(on="ticker", index="date", values=columns).sort("date")
""",
    # By hand and faster: positions on both axes, then a scatter into a dense array per column.
    "polars + numpy scatter": """
import numpy, polars
def work():
    table = polars.read_parquet(path, columns=["date", "ticker", *columns])
    dates, tickers = table["date"].to_numpy(), table["ticker"].cast(polars.Categorical)
    sessions, row = numpy.unique(dates, return_inverse=True)
    column = tickers.to_physical().to_numpy()
    out = {}
    for name in columns:
        dense = numpy.full((len(sessions), int(column.max()) + 1), numpy.nan)
        dense[row, column] = table[name].to_numpy()
        out[name] = dense
    return out
""",
    "pandas pivot": """
import pandas
def work():
    table = pandas.read_parquet(path, columns=["date", "ticker", *columns])
    return table.pivot(index="date", columns="ticker", values=columns)
""",
}

HARNESS = """
import json, resource, time
path, columns = {path!r}, {columns!r}
{peer}
start = time.perf_counter()
result = work()
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({{"seconds": seconds, "peak_rss_mb": peak}}))
"""


def build() -> str:
    """Builds the benchmark and returns the path of its program."""
    command = ["cargo", "bench", "-p", "lotwise-market", "--bench", "panel", "--no-run", "--message-format", "json"]
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    made = [json.loads(line) for line in lines if line.startswith("{")]
    return next(m["executable"] for m in made if m.get("target", {}).get("name") == "panel" and m.get("executable"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pandas", action="store_true", help="measure pandas too, which takes a while")
    arguments = parser.parse_args()
    path = os.path.abspath(arguments.data)
    program = build()
    environment = {**os.environ, "LOTWISE_BENCH_DATA": path, "LOTWISE_BENCH_ROUNDS": "1"}
    contenders = {"lotwise": [program]}
    for name, peer in PEERS.items():
        if arguments.pandas or not name.startswith("pandas"):
            contenders[name] = [sys.executable, "-c", HARNESS.format(path=path, columns=COLUMNS, peer=peer)]
    found = {name: [] for name in contenders}
    for _ in range(arguments.rounds):
        for name, command in contenders.items():
            output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
            found[name].append(json.loads(output.splitlines()[-1]))
    ours = statistics.median(round_["seconds"] for round_ in found["lotwise"])
    print(f"{'contender':<24}{'median s':>10}{'least s':>10}{'peak MB':>10}{'lotwise / it':>14}")
    for name, rounds in found.items():
        seconds = [round_["seconds"] for round_ in rounds]
        median, peak = statistics.median(seconds), max(round_["peak_rss_mb"] for round_ in rounds)
        print(f"{name:<24}{median:>10.3f}{min(seconds):>10.3f}{peak:>10.0f}{ours / median:>14.3f}")


if __name__ == "__main__":
    main()
