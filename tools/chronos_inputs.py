#!/usr/bin/env python3
"""What a frozen branch says of real windows, by what it is fed with: prices, log prices or returns.

    pip install safetensors polars numpy
    cargo build --release -p lotwise-nn --example chronos
    tools/chronos_inputs.py --ours target/release/examples/chronos --prices ../shared/data/prices_daily.parquet \\
        --folder models/kernelsynth

Windows of 60 closes of all tickers that have them, every twentieth session: 2010 to 2019 to fit, 2020 and 2021 to judge. Nothing
later is read. For each input: the mean cosine between tickers of a day and the effective rank of the pooled outputs; and how
much better a ridge regression knows the next five sessions (the logarithm of their volatility, R²; the sign of their
return, area under the curve) from the outputs and four statistics of scale than from the statistics alone. The ridge's
strength is chosen on 2018 and 2019. Fixed random convolutions (`minirocket`) stand beside. Intervals: 95 %, days drawn with
replacement in blocks of three.
"""

import argparse
import subprocess
import tempfile

import numpy as np
import polars
from safetensors.numpy import load_file, save_file

WINDOW, AHEAD, EVERY = 60, 5, 20


def samples(path):
    table = polars.read_parquet(path, columns=["date", "ticker", "adj_close"])
    table = table.filter((polars.col("date") >= polars.date(2009, 6, 1)) & (polars.col("date") <= polars.date(2021, 12, 31)))
    wide = table.filter(polars.col("ticker") != "VIX").pivot(on="ticker", index="date", values="adj_close").sort("date")
    years = wide["date"].dt.year().to_numpy()
    closes = wide.drop("date").to_numpy()
    rows = []
    for end in range(WINDOW, len(closes) - AHEAD, EVERY):
        window, after = closes[end - WINDOW : end], closes[end - 1 : end + AHEAD]
        # A label never reaches into the next part.
        if years[end - 1] != years[end + AHEAD - 1] and years[end + AHEAD - 1] in (2018, 2020):
            continue
        whole = np.isfinite(window).all(0) & np.isfinite(after).all(0) & (window > 0).all(0) & (after > 0).all(0)
        rows.append((years[end - 1], end, window[:, whole].T, after[:, whole].T))
    year = np.concatenate([np.full(len(w), y) for y, _, w, _ in rows])
    day = np.concatenate([np.full(len(w), d) for _, d, w, _ in rows])
    windows = np.concatenate([w for _, _, w, _ in rows]).astype(np.float32)
    after = np.diff(np.log(np.concatenate([a for _, _, _, a in rows])), axis=1)
    return year, day, windows, np.log(np.sqrt((after**2).mean(1)) + 1e-4), after.sum(1) > 0


def statistics(windows):
    """The four statistics of scale that stand beside every branch (SPEC P1-13)."""
    price = windows.astype(np.float64)
    ret = np.diff(np.log(price), axis=1)
    deviation = ret.std(1) + 1e-8
    change = np.abs(np.diff(price / price[:, :1], axis=1)).mean(1) + 1e-8
    spread = np.log(price.max(1) / price.min(1)) + 1e-8
    return np.stack([np.log(change), np.log(deviation), ret.mean(1) / deviation, np.log(spread)], 1)


def bins(windows):
    """How many of the 4,093 tokens of Chronos-T5 a window uses, by what it is fed with: medians."""
    price = windows.astype(np.float64)
    feeds = {"prices": price, "log_prices": np.log(price / price[:, :1]), "returns": np.diff(np.log(price), axis=1)}
    used = {}
    for name, x in feeds.items():
        tokens = np.round(np.clip(x / np.maximum(np.abs(x).mean(1, keepdims=True), 1e-12), -15, 15) * 4092 / 30)
        used[name] = float(np.median([len(np.unique(row)) for row in tokens]))
    return used


def ridge(x, y, fit, choose):
    """Forecasts of a ridge regression whose strength is chosen on `choose`."""
    def solve(rows, strength):
        mean, scale = x[rows].mean(0), x[rows].std(0) + 1e-9
        z = (x - mean) / scale
        level = y[rows].mean()
        gram = z[rows].T @ z[rows] + strength * rows.sum() * np.eye(x.shape[1])
        return z @ np.linalg.solve(gram, z[rows].T @ (y[rows] - level)) + level

    errors = [(((solve(fit, s) - y)[choose] ** 2).mean(), s) for s in (1e-4, 1e-3, 1e-2, 1e-1, 1.0)]
    return solve(fit | choose, min(errors)[1])


def auc(score, truth):
    order = np.argsort(np.argsort(score))
    positive = truth.sum()
    return (order[truth].sum() - positive * (positive - 1) / 2) / (positive * (len(truth) - positive))


def spread(outputs, day):
    """Mean cosine between tickers of a day; effective rank of everything."""
    unit = outputs / np.maximum(np.linalg.norm(outputs, axis=1, keepdims=True), 1e-12)
    cosines = []
    for d in np.unique(day):
        u = unit[day == d]
        cosines.append((np.square(u.sum(0)).sum() - len(u)) / (len(u) * (len(u) - 1)))
    share = np.linalg.svd(outputs - outputs.mean(0), compute_uv=False) ** 2
    share = share / share.sum()
    return np.mean(cosines), np.exp(-(share * np.log(share + 1e-300)).sum())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", required=True, help="the built example")
    parser.add_argument("--prices", required=True)
    parser.add_argument("--folder", required=True, help="a Chronos network")
    options = parser.parse_args()
    year, day, windows, volatility, up = samples(options.prices)
    fit, choose, judge = year < 2018, (year >= 2018) & (year < 2020), year >= 2020
    plain = statistics(windows)
    print(f"{fit.sum()} windows to fit, {choose.sum()} to choose by, {judge.sum()} to judge on {len(np.unique(day[judge]))} days\n")
    print(f"tokens that a window uses: {bins(windows[judge])}\n")
    print("| branch | mean cosine | effective rank | R² of log volatility | gain | AUC of the sign | gain |\n|---|--:|--:|--:|--:|--:|--:|")
    draw = np.random.default_rng(1)
    days = np.unique(day[judge])
    blocks = [days[i : i + 3] for i in range(0, len(days), 3)]
    resamples = [np.concatenate([blocks[b] for b in draw.integers(0, len(blocks), len(blocks))]) for _ in range(200)]
    by_day = {d: np.flatnonzero(judge & (day == d)) for d in days}
    picks = [np.concatenate([by_day[d] for d in sample]) for sample in resamples]
    base = None
    with tempfile.TemporaryDirectory() as scratch:
        save_file({"windows": windows}, f"{scratch}/in.safetensors")
        for name, folder, feed in [
            ("none: four statistics of scale", None, None),
            *((f"network, {feed}", options.folder, feed) for feed in ("prices", "log_prices", "returns")),
            ("minirocket", "minirocket", "prices"),
        ]:
            x, shown = plain, "– | –"
            if folder:
                subprocess.run([options.ours, "pool", folder, f"{scratch}/in.safetensors", f"{scratch}/out.safetensors", feed], check=True, stdout=subprocess.DEVNULL)
                outputs = load_file(f"{scratch}/out.safetensors")["windows"].astype(np.float64)
                shown = "{:.3f} | {:.1f}".format(*spread(outputs[judge], day[judge]))
                x = np.concatenate([plain, outputs], 1)
            forecast, chance = ridge(x, volatility, fit, choose), ridge(x, up.astype(np.float64), fit, choose)

            def measure(rows):
                rest = volatility[rows] - volatility[rows].mean()
                return 1 - ((forecast - volatility)[rows] ** 2).sum() / (rest**2).sum(), auc(chance[rows], up[rows])

            here = measure(np.flatnonzero(judge))
            drawn = np.array([measure(rows) for rows in picks])
            if base is None:
                base, gains = (here, drawn), ["–", "–"]
            else:
                low, high = np.percentile(drawn - base[1], [2.5, 97.5], axis=0)
                gains = [f"{here[i] - base[0][i]:+.4f} ({low[i]:+.4f} to {high[i]:+.4f})" for i in (0, 1)]
            print(f"| {name} | {shown} | {here[0]:.4f} | {gains[0]} | {here[1]:.4f} | {gains[1]} |", flush=True)


if __name__ == "__main__":
    main()
