"""Compares our measures of a record with scipy, statsmodels, empyrical-reloaded and arch.

    pip install numpy scipy statsmodels empyrical-reloaded arch
    python tools/check_statistics.py > docs/results/statistics.md

The returns are drawn here, from seed 7, with fat tails and dependence in time.
"""

import itertools
import subprocess
import tempfile
import importlib.metadata

import arch.bootstrap
import empyrical
import numpy
import scipy.stats
import statsmodels.api

EULER = 0.5772156649015329


def draw(seed: int = 7, n_sessions: int = 1000, n_configurations: int = 12) -> numpy.ndarray:
    random = numpy.random.default_rng(seed)
    market = 0.0003 + 0.01 * random.standard_t(5, n_sessions)
    columns = [market, numpy.full(n_sessions, 0.0001)]
    for at in range(n_configurations):
        noise = 0.006 * random.standard_t(4, n_sessions)
        noise[1:] += 0.2 * noise[:-1]
        columns.append((0.8 + 0.03 * at) * market + noise + 0.00005 * at)
    return numpy.round(numpy.column_stack(columns), 12)


def overfitting(returns: numpy.ndarray, n_blocks: int = 16) -> float:
    """CSCV as in the paper, by brute force."""
    length = len(returns) // n_blocks
    blocks = returns[len(returns) - length * n_blocks :].reshape(n_blocks, length, -1)
    below = total = 0
    for inside in itertools.combinations(range(n_blocks), n_blocks // 2):
        chosen = numpy.zeros(n_blocks, dtype=bool)
        chosen[list(inside)] = True
        within, outside = (blocks[mask].reshape(-1, returns.shape[1]) for mask in (chosen, ~chosen))
        best = (within.mean(0) / within.std(0, ddof=1)).argmax()
        ranks = scipy.stats.rankdata(outside.mean(0) / outside.std(0, ddof=1))
        below += ranks[best] / (returns.shape[1] + 1) < 0.5
        total += 1
    return below / total


def superior_ability(benchmark: numpy.ndarray, returns: numpy.ndarray) -> float:
    """Hansen's consistent p-value. The library leaves the studentisation of the paper out, so its
    resampled means are divided by its own long-run deviations here."""
    spa = arch.bootstrap.SPA(-benchmark, -returns, block_size=10, reps=20000, seed=4)
    spa.compute()
    deviations = numpy.sqrt(spa._loss_diff_var)
    statistic = max(0.0, ((returns.T - benchmark).mean(1) / deviations).max())
    resampled = (spa._simulated_vals[:, :, 1] / deviations[:, None]).max(0)
    return float((resampled >= statistic).mean())


def reference(table: numpy.ndarray) -> dict[str, tuple[float, str, float]]:
    """Name to value, source, and the difference that is allowed."""
    benchmark, cash, ours = table[:, 0], table[:, 1], table[:, 2]
    excess = ours - cash
    ratio = excess.mean() / excess.std(ddof=1)
    skewness, kurtosis = scipy.stats.skew(excess), scipy.stats.kurtosis(excess, fisher=False)
    spread = numpy.sqrt(1 - skewness * ratio + (kurtosis - 1) / 4 * ratio**2)
    ratios = table[:, 2:].mean(0) / table[:, 2:].std(0, ddof=1)
    trials = len(ratios)
    best = ratios.std(ddof=1) * (
        (1 - EULER) * scipy.stats.norm.ppf(1 - 1 / trials)
        + EULER * scipy.stats.norm.ppf(1 - 1 / (trials * numpy.e))
    )
    root = numpy.sqrt(len(ours) - 1)
    bootstrap = arch.bootstrap.StationaryBootstrap(10, ours, seed=3)
    low, high = bootstrap.conf_int(numpy.mean, 20000, method="percentile", size=0.95)[:, 0]
    regression = statsmodels.api.OLS(ours, statsmodels.api.add_constant(benchmark)).fit()
    tail = numpy.sort(ours)[: len(ours) // 20]
    exact = 1e-10
    return {
        "total": (empyrical.cum_returns_final(ours), "empyrical", exact),
        "annual": (empyrical.annual_return(ours), "empyrical", exact),
        "vol_annual": (empyrical.annual_volatility(ours), "empyrical", exact),
        "sharpe": (empyrical.sharpe_ratio(ours, risk_free=0.0001), "empyrical", exact),
        "sortino": (empyrical.sortino_ratio(ours, required_return=0.0001), "empyrical", exact),
        "max_drawdown": (-empyrical.max_drawdown(ours), "empyrical", exact),
        "calmar": (empyrical.calmar_ratio(ours), "empyrical", exact),
        "cvar_95": (-tail.mean(), "numpy", exact),
        "tracking_error": ((ours - benchmark).std(ddof=1) * numpy.sqrt(252), "numpy", exact),
        "information_ratio": (empyrical.excess_sharpe(ours, benchmark) * numpy.sqrt(252), "empyrical", exact),
        "beta": (regression.params[1], "statsmodels OLS", exact),
        "skewness": (skewness, "scipy", exact),
        "kurtosis": (kurtosis, "scipy", exact),
        "psr": (scipy.stats.norm.cdf(ratio * root / spread), "scipy, formula of the paper", exact),
        "expected_best": (best, "scipy, formula of the paper", exact),
        "dsr": (scipy.stats.norm.cdf((ratio - best) * root / spread), "scipy, formula of the paper", exact),
        "pbo": (overfitting(table[:, 2:]), "numpy, all 12,870 splits", exact),
        "mean_low": (low, "arch StationaryBootstrap", 4e-5),
        "mean_high": (high, "arch StationaryBootstrap", 4e-5),
        "spa_p": (superior_ability(benchmark, table[:, 2:]), "arch SPA, studentised", 0.01),
    }


def main() -> None:
    table = draw()
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        numpy.savetxt(file, table, delimiter=",", fmt="%.17g", header="returns", comments="")
        file.flush()
        command = ["cargo", "run", "--quiet", "--release", "-p", "lotwise-sim", "--example", "statistics", file.name]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    ours = {name: float(value) for name, value in map(str.split, output.splitlines())}
    packages = ["numpy", "scipy", "statsmodels", "empyrical-reloaded", "arch"]
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    print("# Measures against other libraries\n")
    print("Written by `python tools/check_statistics.py`: 1,000 sessions of 12 configurations drawn from seed 7.")
    print(f"Versions: {versions}. Resampled figures differ by their own noise.\n")
    print("| measure | ours | theirs | source | difference | allowed |\n|---|---|---|---|---|---|")
    failed = []
    for name, (value, source, allowed) in reference(table).items():
        difference = abs(ours[name] - value)
        print(f"| {name} | {ours[name]:.10g} | {value:.10g} | {source} | {difference:.1e} | {allowed:.0e} |")
        if not difference <= allowed:
            failed.append(name)
    print(f"\n{'All agree.' if not failed else 'These do not agree: ' + ', '.join(failed)}")
    raise SystemExit(bool(failed))


if __name__ == "__main__":
    main()
