#!/usr/bin/env python3
"""Booking of trades: Lotwise against other programs, on the same ledgers, in one run on one core.

    pip install beancount capital-gains
    tools/bench_booking.py [--sizes 10000,100000,1000000] [--peer-sizes 10000,100000] [--limit 480]
                           [--cases rising-1-,hifo] [--rust PROGRAM]

Contenders:
- Lotwise: the book in numbers (`IndexedBook`) and the book in names (`Book`), wash sales included;
- a lean Python loop over tuples with floats: a deque for FIFO, a heap for HIFO, no wash sales;
- beancount 3, its booking of transactions that are parsed already, no wash sales;
- capital-gains (PyPI), its logic with wash sales, FIFO only.

Reading files is outside every measurement. Lotwise is measured by the clock, the best of five rounds, or with
--processor by processor time; the others by processor time, so that a busy machine does them no harm. beancount and capital-gains take seconds
for ten thousand transactions and are asked for --peer-sizes only. What has not ended after --limit seconds of
processor time is given up and said to be so: its ratio is above what the limit gives.
"""

import argparse
import csv
import datetime
import glob
import heapq
import json
import multiprocessing
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict, deque
from decimal import Decimal


def build() -> str:
    """Builds the benchmark and returns the path of its program."""
    command = ["cargo", "bench", "-p", "lotwise-tax", "--bench", "booking", "--no-run", "--message-format", "json"]
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    made = [json.loads(line) for line in lines if line.startswith("{")]
    return next(m["executable"] for m in made if m.get("target", {}).get("name") == "booking" and m.get("executable"))


def load(path):
    """Rows as (day, symbol, buys, shares, price in dollars)."""
    with open(path, newline="") as file:
        rows = [
            (row["day"], row["symbol"], row["side"] == "buy", int(row["shares"]), int(row["cents"]) / 100)
            for row in csv.DictReader(file)
        ]
    return rows


def python_fifo(rows):
    held, gains = defaultdict(deque), []
    for day, symbol, buys, shares, price in rows:
        lots = held[symbol]
        if buys:
            lots.append([shares, price])
            continue
        while shares:
            lot = lots[0]
            taken = min(shares, lot[0])
            gains.append(taken * (price - lot[1]))
            shares -= taken
            lot[0] -= taken
            if not lot[0]:
                lots.popleft()
    return len(gains)


def python_hifo(rows):
    held, gains, number = defaultdict(list), [], 0
    for day, symbol, buys, shares, price in rows:
        lots = held[symbol]
        if buys:
            number += 1
            heapq.heappush(lots, [-price, number, shares])
            continue
        while shares:
            lot = lots[0]
            taken = min(shares, lot[2])
            gains.append(taken * (price + lot[0]))
            shares -= taken
            lot[2] -= taken
            if not lot[2]:
                heapq.heappop(lots)
    return len(gains)


def beancount(rows, method):
    from beancount.core import data
    from beancount.core.amount import Amount
    from beancount.core.number import MISSING
    from beancount.core.position import CostSpec
    from beancount.parser import booking, options

    way = {"fifo": data.Booking.FIFO, "hifo": data.Booking.HIFO}[method]
    meta = lambda number: data.new_metadata("bench", number)
    first = datetime.date(1990, 1, 1)
    entries = [data.Open(meta(0), first, f"Assets:{symbol}", None, way) for symbol in sorted({row[1] for row in rows})]
    entries += [data.Open(meta(0), first, account, None, None) for account in ("Assets:Cash", "Income:Gains")]
    for number, (day, symbol, buys, shares, price) in enumerate(rows, 1):
        signed, price = Decimal(shares if buys else -shares), Decimal(str(price))
        cost = CostSpec(price if buys else MISSING, None, "USD", None, None, False)
        units = Amount(signed, symbol)
        postings = [
            data.Posting(f"Assets:{symbol}", units, cost, None, None, meta(number)),
            data.Posting("Assets:Cash", Amount(-signed * price, "USD"), None, None, None, meta(number)),
        ]
        if not buys:
            postings.append(data.Posting("Income:Gains", MISSING, None, None, None, meta(number)))
        date = datetime.date.fromisoformat(day)
        entries.append(data.Transaction(meta(number), date, "*", None, "", data.EMPTY_SET, data.EMPTY_SET, postings))
    start = time.process_time()
    booked, errors = booking.book(entries, options.OPTIONS_DEFAULTS.copy())
    seconds = time.process_time() - start
    if errors:
        raise SystemExit(f"beancount cannot book the ledger: {errors[0]}")
    return seconds


def capital_gains(rows):
    from capital_gains.logic import process_sales
    from capital_gains.model import Lot, Transaction

    seconds, by_symbol = 0.0, defaultdict(list)
    for number, (day, symbol, buys, shares, price) in enumerate(rows):
        date = datetime.datetime.fromisoformat(day)
        name = f"L{number}" if buys else None
        one = Transaction(number, date, symbol, name, Decimal(shares), Decimal(str(price)), Decimal(0))
        by_symbol[symbol].append((buys, one))
    for transactions in by_symbol.values():
        lots = [Lot(one) for buys, one in transactions if buys]
        sales = [one for buys, one in transactions if not buys]
        start = time.process_time()
        process_sales(lots, sales, True)
        seconds += time.process_time() - start
    return seconds


def timed(work, rows):
    least = float("inf")
    for _ in range(3):
        start = time.process_time()
        work(rows)
        least = min(least, time.process_time() - start)
    return least


def within(limit, work, *arguments):
    """Seconds that `work` says it took, or None when it needs more than `limit` seconds of processor time."""

    def child(answer):
        used = int(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]))
        resource.setrlimit(resource.RLIMIT_CPU, (used + limit, used + limit + 1))
        answer.send(work(*arguments))

    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=child, args=(theirs,))
    process.start()
    theirs.close()
    try:
        return ours.recv()
    except EOFError:
        return None
    finally:
        process.join()


def sizes(text):
    return [int(size) for size in text.split(",")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rust", help="the benchmark's program, when it is built already")
    parser.add_argument("--sizes", type=sizes, default=[10_000, 100_000, 1_000_000], help="transactions, with commas")
    parser.add_argument("--peer-sizes", type=sizes, default=[10_000], help="sizes for beancount and capital-gains")
    parser.add_argument("--limit", type=int, default=480, help="processor seconds for each of those")
    parser.add_argument("--processor", action="store_true", help="processor time for Lotwise too, on a busy machine")
    parser.add_argument("--cases", default="", help="parts of the names METHOD-PRICES-SYMBOLS-SIZE-, with commas")
    arguments = parser.parse_args()
    program = arguments.rust or build()
    with tempfile.TemporaryDirectory() as folder:
        output = subprocess.run(
            [program, "--bench", *["--processor"][: arguments.processor], *(case for case in arguments.cases.split(",") if case)],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "LOTWISE_BENCH_WRITE": folder},
        ).stdout
        print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; limit {arguments.limit} s", flush=True)
        print(f"{'method':<7}{'prices':<9}{'symbols':>8}{'events':>9}  {'contender':<16}{'per second':>12}{'ratio':>9}")
        for line in output.splitlines():
            found = re.match(r"(fifo|hifo)\s+(\w+)\s+(\d+)\s+(\d+)\s+\d+\s+\d+\s+(\d+)\s+(\d+)", line)
            if not found:
                print(line)
                continue
            method, prices, (symbols, size, indexed, named) = found[1], found[2], map(int, found.group(3, 4, 5, 6))
            if size not in arguments.sizes:
                continue
            rows = load(glob.glob(f"{folder}/{prices}-{symbols}-{size}.csv")[0])
            loop = python_fifo if method == "fifo" else python_hifo
            loop_rate = size / timed(loop, rows)
            place = f"{method:<7}{prices:<9}{symbols:>8}{size:>9}  "
            print(f"{place}{'lotwise indexed':<16}{indexed:>12,}{'':>9}")
            print(f"{place}{'lotwise named':<16}{named:>12,}{indexed / named:>9.1f}")
            print(f"{place}{'python loop':<16}{loop_rate:>12,.0f}{indexed / loop_rate:>9,.1f}", flush=True)
            peers = {"beancount 3": (beancount, rows, method), "capital-gains": (capital_gains, rows)}
            for name, work in peers.items():
                if size not in arguments.peer_sizes or (name == "capital-gains" and method != "fifo"):
                    continue
                seconds = within(arguments.limit, *work)
                rate = size / (seconds or arguments.limit)
                least = "" if seconds else "  (not done within the limit: at least)"
                print(f"{place}{name:<16}{rate:>12,.0f}{indexed / rate:>9,.1f}{least}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
