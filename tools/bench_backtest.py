#!/usr/bin/env python3
"""Walk-forward runs: Lotwise against bt, vectorbt, skfolio and cvxportfolio, on the same prices in one run.

    tools/bench_backtest.py [--assets 10,100,500] [--years 20] [--binary PATH] [--limit SECONDS]

`lotwise bench backtest --export` makes the prices and times itself; each peer that is installed then runs in a
process of its own. Import and start of Python, reading the prices and one small run that compiles what is
compiled at run time are outside the measurement. Two jobs: equal weight restored daily with 5 basis points a
side, and minimum variance over the past 252 sessions restored every 21 sessions. Lotwise is compared without
taxes, as the peers know none; its time with lots, wash sales and taxes stands beside it. A peer that does not
do the same job is marked: skfolio has no trades, costs or cash, vectorbt and bt no minimum variance with an
optimiser of their own.
"""

import argparse
import json
import subprocess
import sys
import tempfile

PRELUDE = """
import sys, time, json, warnings
warnings.filterwarnings("ignore")
import numpy, pandas
table = pandas.read_parquet(sys.argv[1], columns=["date", "ticker", "open", "adj_close"])
table["date"] = pandas.to_datetime(table["date"])
closes = table.pivot(index="date", columns="ticker", values="adj_close")
opens = table.pivot(index="date", columns="ticker", values="open")
n = closes.shape[1]
def timed(work, warm=None):
    if warm:
        warm()
    best = []
    begun = time.perf_counter()
    while not best or (len(best) < 3 and time.perf_counter() - begun < 20):
        start = time.perf_counter()
        work()
        best.append(time.perf_counter() - start)
    print(json.dumps(sorted(best)[len(best) // 2]))
"""

PEERS = {
    ("equal weight daily", "vectorbt"): """
import vectorbt
def run(prices):
    size = numpy.full(prices.shape, 1 / prices.shape[1])
    return vectorbt.Portfolio.from_orders(prices, size=size, size_type="targetpercent", fees=0.0005, init_cash=100000,
        cash_sharing=True, group_by=True, call_seq="auto", freq="1D").final_value()
timed(lambda: run(closes.iloc[252:]), lambda: run(closes.iloc[:30]))
""",
    ("equal weight daily", "bt"): """
import bt
def run(prices):
    strategy = bt.Strategy("ew", [bt.algos.RunDaily(), bt.algos.SelectAll(), bt.algos.WeighEqually(), bt.algos.Rebalance()])
    test = bt.Backtest(strategy, prices, initial_capital=100000.0, integer_positions=False,
        commissions=lambda q, p: abs(q) * p * 0.0005, progress_bar=False)
    return bt.run(test)
timed(lambda: run(closes.iloc[252:]), lambda: run(closes.iloc[:30]))
""",
    ("equal weight daily", "cvxportfolio"): """
import cvxportfolio
returns = closes.pct_change().iloc[1:]
returns["cash"] = 0.0
def run(returns):
    market = cvxportfolio.MarketSimulator(returns=returns, cash_key="cash",
        costs=[cvxportfolio.TransactionCost(a=0.0005, b=None)], min_history=pandas.Timedelta("0d"))
    return market.backtest(cvxportfolio.Uniform(), start_time=returns.index[1], initial_value=100000.0)
timed(lambda: run(returns.iloc[252:]), lambda: run(returns.iloc[:30]))
""",
    ("min variance monthly", "skfolio"): """
from skfolio.optimization import MeanRisk
from skfolio.model_selection import WalkForward, cross_val_predict
from skfolio.moments import LedoitWolf
from skfolio.prior import EmpiricalPrior
returns = closes.pct_change().iloc[1:]
def run(returns):
    model = MeanRisk(prior_estimator=EmpiricalPrior(covariance_estimator=LedoitWolf()))
    return cross_val_predict(model, returns, cv=WalkForward(test_size=21, train_size=252))
timed(lambda: run(returns))
""",
    ("equal weight daily", "skfolio (no trades)"): """
from skfolio.optimization import EqualWeighted
from skfolio.model_selection import WalkForward, cross_val_predict
returns = closes.pct_change().iloc[1:]
timed(lambda: cross_val_predict(EqualWeighted(), returns, cv=WalkForward(test_size=21, train_size=252)))
""",
    ("min variance monthly", "cvxportfolio"): """
import cvxportfolio
returns = closes.pct_change().iloc[1:]
returns["cash"] = 0.0
class Monthly(cvxportfolio.SinglePeriodOptimization):
    pass
def run(returns):
    market = cvxportfolio.MarketSimulator(returns=returns, cash_key="cash",
        costs=[cvxportfolio.TransactionCost(a=0.0005, b=None)], min_history=pandas.Timedelta("252d"),
        trading_frequency="monthly")
    policy = cvxportfolio.SinglePeriodOptimization(-cvxportfolio.FullCovariance(), [cvxportfolio.LongOnly(),
        cvxportfolio.NoCash()])
    return market.backtest(policy, start_time=returns.index[252], initial_value=100000.0)
timed(lambda: run(returns))
""",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--assets", default="10,100,500")
    parser.add_argument("--years", default="20")
    parser.add_argument("--binary", default="target/release/lotwise")
    parser.add_argument("--without-taxes", action="store_true")
    parser.add_argument("--limit", type=float, default=120)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        command = [arguments.binary, "bench", "backtest", "--json", "--assets", arguments.assets, "--years", arguments.years,
                   "--export", folder] + (["--without-taxes"] if arguments.without_taxes else [])
        results = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["data"]["results"]
        own = {(result["job"], result["assets"]): result["value"] for result in results}
        print(f"{'job':22} {'assets':>6} {'contender':22} {'seconds':>9} {'ratio':>8}")
        for assets in map(int, arguments.assets.split(",")):
            for job in ["equal weight daily", "min variance monthly"]:
                ours = own[(f"{job}, no taxes", assets)]
                taxed = own.get((f"{job}, lots and taxes", assets))
                for name, seconds in [("lotwise", ours)] + ([("lotwise, lots and taxes", taxed)] if taxed else []):
                    print(f"{job:22} {assets:6} {name:22} {seconds:9.3f} {seconds / ours:8.2f}")
                for (wanted, peer), code in PEERS.items():
                    if wanted != job:
                        continue
                    call = [sys.executable, "-c", PRELUDE + code, f"{folder}/prices_{assets}.parquet"]
                    try:
                        ran = subprocess.run(call, capture_output=True, text=True, timeout=arguments.limit)
                    except subprocess.TimeoutExpired:
                        print(f"{job:22} {assets:6} {peer:22} {'> ' + format(arguments.limit, '.0f'):>9} {'> ' + format(arguments.limit / ours, '.0f'):>8}", flush=True)
                        continue
                    lines = ran.stdout.strip().splitlines()
                    if ran.returncode or not lines:
                        reason = (ran.stderr.strip().splitlines() or ["no result"])[-1][:60]
                        print(f"{job:22} {assets:6} {peer:22} not run: {reason}", flush=True)
                        continue
                    seconds = json.loads(lines[-1])
                    print(f"{job:22} {assets:6} {peer:22} {seconds:9.3f} {seconds / ours:8.1f}", flush=True)


if __name__ == "__main__":
    main()
