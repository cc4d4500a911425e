#!/usr/bin/env python3
"""All sixteen bar features of a price table: Lotwise against pandas, in one run, and do they agree?

    cargo bench -p lotwise-market --bench features --no-run     # prints the path of the benchmark
    tools/bench_features.py --data prices_daily.parquet --rust PATH_OF_THE_BENCHMARK

The peer is what one would write with pandas: each ticker a frame, each feature a vectorised rolling or
exponential expression over it. Reading the file is outside both measurements. Needs pandas, numpy, pyarrow.
"""

import argparse
import io
import os
import statistics
import subprocess
import time

import numpy as np
import pandas as pd

NAMES = [
    "log_return_1", "log_return_5", "log_return_21", "close_over_sma_5", "close_over_sma_20", "close_over_sma_60",
    "rsi_14", "macd_12_26", "macd_histogram_9", "atr_14", "log_realised_vol_21", "volume_z_20",
    "log_dollar_volume_z_252", "range", "overnight_gap", "bollinger_b_20",
]  # fmt: skip
SCALED = {"rsi_14", "bollinger_b_20"}


def wilder(values: pd.Series, width: int) -> pd.Series:
    """Wilder's average: the mean of the first `width` values, from there on a weight of 1/width."""
    seeded = values.copy()
    seeded.iloc[:width] = np.nan
    if len(values) > width:
        seeded.iloc[width] = values.iloc[1 : width + 1].mean()
    return seeded.ewm(alpha=1 / width, adjust=False).mean()


def features(bars: pd.DataFrame) -> pd.DataFrame:
    """The sixteen features of one ticker."""
    factor = bars["adj_close"] / bars["close"]
    close = bars["adj_close"]
    opened, high, low = bars["open"] * factor, bars["high"] * factor, bars["low"] * factor
    volume = bars["volume"].astype(float)
    log_close = np.log(close)
    out = {}
    for span in (1, 5, 21):
        out[f"log_return_{span}"] = log_close.diff(span)
    for width in (5, 20, 60):
        out[f"close_over_sma_{width}"] = close / close.rolling(width).mean() - 1
    change = close.diff()
    gain, loss = wilder(change.clip(lower=0), 14), wilder(-change.clip(upper=0), 14)
    out["rsi_14"] = (gain - loss) / (gain + loss)
    macd = close.ewm(span=12, adjust=False).mean() - close.ewm(span=26, adjust=False).mean()
    macd.iloc[:25] = np.nan
    histogram = macd - macd.ewm(span=9, adjust=False).mean()
    histogram.iloc[:33] = np.nan
    out["macd_12_26"], out["macd_histogram_9"] = macd / close, histogram / close
    before = close.shift()
    true_range = np.maximum(high, before) - np.minimum(low, before)
    out["atr_14"] = wilder(true_range, 14) / close
    out["log_realised_vol_21"] = np.log(out["log_return_1"].rolling(21).std() * np.sqrt(252))
    out["volume_z_20"] = (volume - volume.rolling(20).mean()) / volume.rolling(20).std()
    dollars = np.log((bars["close"] * volume).where(volume > 0)).dropna()
    out["log_dollar_volume_z_252"] = (dollars - dollars.rolling(252).mean()) / dollars.rolling(252).std()
    out["range"] = (high - low) / close
    out["overnight_gap"] = np.log(opened / before)
    middle, deviation = close.rolling(20).mean(), close.rolling(20).std(ddof=0)
    out["bollinger_b_20"] = (close - middle) / (4 * deviation)
    return pd.DataFrame(out)[NAMES].replace([np.inf, -np.inf], np.nan)


def normalised(raw: pd.DataFrame) -> pd.DataFrame:
    """Trailing robust z-scores where all of the 252 bars before are defined, else missing."""
    out = {}
    for name in NAMES:
        if name in SCALED:
            out[name] = raw[name].clip(-5, 5)
            continue
        window = raw[name].shift().rolling(252)
        spread = (window.quantile(0.75) - window.quantile(0.25)) / 1.3489795003921635
        out[name] = ((raw[name] - window.median()) / spread.where(spread > 0)).clip(-5, 5)
    return pd.DataFrame(out)


def regimes(close: pd.Series) -> pd.Series:
    """Regime names of SPEC D-07."""
    log_close = np.log(close)
    vol = log_close.diff().rolling(21).std() * np.sqrt(252)
    q80 = vol.rolling(756, min_periods=252).quantile(0.8)
    ret = close / close.shift(63) - 1
    label = pd.Series("sideways", index=close.index)
    label[ret > 0.05] = "bull"
    label[ret < -0.05] = "bear"
    label[vol > q80] = "volatile"
    return label.where(q80.notna(), "")


def rust(path: str, data: str, dump: str | None = None) -> str:
    env = os.environ | {"LOTWISE_BENCH_DATA": data} | ({"LOTWISE_BENCH_DUMP": dump} if dump else {})
    return subprocess.run([path], env=env, check=True, capture_output=True, text=True).stdout


def compare(path: str, data: str, groups: dict[str, pd.DataFrame], tickers: list[str]) -> None:
    """Largest difference of any feature, normalised feature and regime between the two."""
    ours = pd.read_csv(io.StringIO(rust(path, data, ",".join(tickers))), keep_default_na=False, na_values=[""])
    worst = {"raw": (0.0, ""), "normalised": (0.0, "")}
    masks = {"raw": 0, "normalised": 0}
    other_regime = rows = 0
    for ticker in tickers:
        raw = features(groups[ticker])
        own = ours[ours["ticker"] == ticker].reset_index(drop=True)
        assert len(own) == len(raw), ticker
        rows += len(own)
        for kind, peer, prefix in (("raw", raw, ""), ("normalised", normalised(raw), "normal_")):
            for name in NAMES:
                left, right = peer[name].to_numpy(), own[prefix + name].to_numpy(dtype=float)
                both = ~np.isnan(left) & ~np.isnan(right)
                # The peer leaves the first year of a normalised feature out: it knows no cross-section.
                one_sided = ~np.isnan(left) & np.isnan(right) if kind == "normalised" else np.isnan(left) != np.isnan(right)
                masks[kind] += int(one_sided.sum())
                gap = float(np.max(np.abs(left - right)[both], initial=0.0))
                worst[kind] = max(worst[kind], (gap, f"{ticker} {name}"))
        other_regime += int((regimes(groups[ticker]["adj_close"]) != own["regime"].fillna("")).sum())
    for kind, (gap, where) in worst.items():
        print(f"{kind:<11} largest difference {gap:.3g} ({where}), defined on one side only: {masks[kind]}")
    print(f"{'regimes':<11} different labels: {other_regime} of {rows}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="a price table in Parquet")
    parser.add_argument("--rust", required=True, help="the built benchmark `features` of lotwise-market")
    parser.add_argument("--repeat", type=int, default=3, help="measurements of the peer, of which the median counts")
    parser.add_argument("--compare", default="AAPL,JPM,SPY,VIX,TSLA,UAL,KO", help="tickers whose values are compared")
    args = parser.parse_args()

    prices = pd.read_parquet(args.data)
    groups = {ticker: bars.reset_index(drop=True) for ticker, bars in prices.groupby("ticker")}
    tickers = [ticker for ticker in args.compare.split(",") if ticker in groups]
    compare(args.rust, args.data, groups, tickers)

    seconds = []
    for _ in range(args.repeat):
        start = time.perf_counter()
        for bars in groups.values():
            features(bars)
        seconds.append(time.perf_counter() - start)
    peer = statistics.median(seconds)
    ours = dict(line.split() for line in rust(args.rust, args.data).splitlines())
    raw, half = float(ours["raw_seconds"]), float(ours["raw_half_seconds"])
    per_row, per_row_half = raw / int(ours["rows"]), half / int(ours["half_rows"])
    print(f"pandas {pd.__version__}: {peer:.3f} s; lotwise: {raw:.4f} s; ratio {peer / raw:.1f} (at least 10 wanted)")
    print(f"rows {ours['rows']}: {per_row * 1e9:.1f} ns a row; half the rows: {per_row_half * 1e9:.1f} ns a row "
          f"(ratio {per_row / per_row_half:.2f})")
    print(f"normalising: {ours['normalise_seconds']} s; regimes of all assets: {ours['regime_seconds']} s")


if __name__ == "__main__":
    main()
