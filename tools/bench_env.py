"""Steps per second of our environment beside a batched numpy one, in one run.

The numpy environment holds 64 copies in arrays and knows weights, returns, costs and a value each;
no lots, no wash sales, no taxes, no fills. It is what one writes first when speed matters.
FinRL's StockPortfolioEnv is timed too where its wheel is installed. The file of the environment is read from the wheel itself:
FinRL's own package imports brokers and trainers, whose dependencies have nothing to do with a step. Of what the file imports,
stable_baselines3's DummyVecEnv alone is replaced by an empty class; no step touches it.

    pip install numpy==2.4.6 pandas==3.1.1 gymnasium==1.4.0 matplotlib==3.11.2
    pip install --no-deps finrl==0.3.7
    cargo build --release && python tools/bench_env.py target/release/lotwise
"""

import importlib.util
import json
import statistics
import subprocess
import sys
import time
import types
from pathlib import Path

import numpy as np

COPIES = 64
SESSIONS = 1_200
FIELDS = 12


class NumpyEnvironment:
    """Daily weights, proportional costs, drift; the same observation width as ours."""

    def __init__(self, n_assets, seed=1):
        random = np.random.default_rng(seed)
        self.rets = random.standard_normal((SESSIONS, n_assets)).astype(np.float64) * 0.01
        self.features = random.standard_normal((SESSIONS, n_assets, FIELDS - 1)).astype(np.float32)
        self.starts = random.integers(0, SESSIONS - 300, COPIES)
        self.at = self.starts.copy()
        self.weights = np.zeros((COPIES, n_assets + 1))
        self.weights[:, 0] = 1.0
        self.value = np.full(COPIES, 100_000.0)
        self.observation = np.empty((COPIES, n_assets, FIELDS), dtype=np.float32)

    def step(self, wanted):
        gap = wanted - self.weights
        cost = 0.0005 * np.abs(gap[:, 1:]).sum(axis=1)
        self.at += 1
        rets = self.rets[self.at]
        gained = (wanted[:, 1:] * rets).sum(axis=1) - cost
        self.value *= 1.0 + gained
        self.weights[:, 0] = wanted[:, 0]
        self.weights[:, 1:] = wanted[:, 1:] * (1.0 + rets)
        self.weights /= self.weights.sum(axis=1, keepdims=True)
        self.observation[:, :, 0] = self.weights[:, 1:]
        self.observation[:, :, 1:] = self.features[self.at]
        done = self.at - self.starts >= 252
        if done.any():
            self.at[done] = self.starts[done]
            self.value[done] = 100_000.0
        return self.observation, gained, done


def numpy_rate(n_assets, seconds=2.0):
    environment = NumpyEnvironment(n_assets)
    random = np.random.default_rng(2)
    wishes = random.dirichlet(np.ones(n_assets + 1), (32, COPIES))
    rates = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(rates) < 5:
        start = time.perf_counter()
        for step in range(200):
            environment.step(wishes[step % 32])
        rates.append(200 * COPIES / (time.perf_counter() - start))
    return statistics.median(rates)


def finrl_environment():
    """The class of FinRL, from its own file; ImportError where the wheel is not installed."""
    package = importlib.util.find_spec("finrl")
    if package is None:
        raise ImportError("finrl is not installed")
    try:
        import stable_baselines3.common.vec_env  # noqa: F401
    except ImportError:
        for name in ("stable_baselines3", "stable_baselines3.common", "stable_baselines3.common.vec_env"):
            sys.modules[name] = types.ModuleType(name)
        sys.modules["stable_baselines3.common.vec_env"].DummyVecEnv = type("DummyVecEnv", (), {})
    file = Path(package.submodule_search_locations[0]) / "meta/env_portfolio_allocation/env_portfolio.py"
    spec = importlib.util.spec_from_file_location("finrl_env_portfolio", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.StockPortfolioEnv


def finrl_rate(n_assets, steps=400):
    import pandas as pd

    StockPortfolioEnv = finrl_environment()
    random = np.random.default_rng(1)
    days, rows = 600, []
    prices = 100 * np.exp(np.cumsum(random.standard_normal((days, n_assets)) * 0.01, axis=0))
    covariance = np.eye(n_assets) * 1e-4
    for day in range(days):
        date = str(np.datetime64("2015-01-01") + day)
        for asset in range(n_assets):
            rows.append((day, date, f"S{asset:04}", prices[day, asset], covariance, 0.0, 0.0, 0.0, 0.0))
    names = ["day", "date", "tic", "close", "cov_list", "macd", "rsi_30", "cci_30", "dx_30"]
    table = pd.DataFrame(rows, columns=names).set_index("day")
    environment = StockPortfolioEnv(
        df=table, stock_dim=n_assets, hmax=100, initial_amount=100_000, transaction_cost_pct=0.0005, reward_scaling=1.0,
        state_space=n_assets, action_space=n_assets, tech_indicator_list=["macd", "rsi_30", "cci_30", "dx_30"],
    )
    environment.reset()
    start = time.perf_counter()
    for _ in range(steps):
        environment.step(random.standard_normal(n_assets))
    return steps / (time.perf_counter() - start)


def main():
    binary = sys.argv[1] if len(sys.argv) > 1 else "target/release/lotwise"
    print("| assets | job | threads | steps/s | to numpy | to FinRL |")
    print("|---|---|---|---|---|---|")
    for n_assets in (10, 100, 500):
        peer = numpy_rate(n_assets)
        try:
            finrl = finrl_rate(n_assets, 400 if n_assets < 500 else 50)
        except ImportError:
            finrl = None
        command = [binary, "bench", "env", "--assets", str(n_assets), "--json"]
        results = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["data"]["results"]
        again = numpy_rate(n_assets)
        peer = statistics.median([peer, again])
        print(f"| {n_assets} | numpy, no lots, no taxes | 1 | {peer:,.0f} | 1.00 | |")
        if finrl:
            print(f"| {n_assets} | FinRL StockPortfolioEnv | 1 | {finrl:,.0f} | {finrl / peer:.4f} | 1.00 |")
        for one in results:
            beside = f"{one['value'] / finrl:,.0f}" if finrl else ""
            row = f"| {n_assets} | {one['job']} | {one['threads']} | {one['value']:,.0f} | {one['value'] / peer:.2f} |"
            print(f"{row} {beside} |")


if __name__ == "__main__":
    main()
