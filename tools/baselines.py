#!/usr/bin/env python3
"""The baselines of docs/results/baselines.md: every strategy at four costs over the validation and the test period,
and windows of five lengths (SPEC V-02 to V-05), as Markdown on stdout. Derived statistics only.

    tools/baselines.py [--binary PATH] [--prices ../shared/data] [--trials FILE] [--windows equal-weight,harvester]
"""

import argparse
import json
import subprocess

PERIODS = {"Validation": ("validation", "2020-01-02", "2021-12-31"), "Test": ("test", "2022-01-03", "2024-06-28")}
SLOW = {"inverse-volatility", "momentum-tilt", "risk-parity", "hrp", "min-variance", "mean-variance", "60/40"}


def percent(value, decimals=1):
    return "" if value is None else f"{100 * value:+.{decimals}f} %".replace("-", "−")


def number(value):
    return "" if value is None else f"{value:.2f}".replace("-", "−")


def runs_table(data):
    lines = ["| strategy | every | cost bp | before tax | after tax | all sold | volatility | Sharpe | deflated | largest fall"
             " | turnover/y | cash-matched alpha/y (95 %) |", "|---|" + "--:|" * 11]
    for run in data["runs"]:
        before, matched = run["before_tax"], run["cash_matched_alpha_annual"]
        initial = float(run["values"]["initial"])
        interval = f"{percent(matched['estimate'])} ({percent(matched['low'])} to {percent(matched['high'])})"
        lines.append("| " + " | ".join([
            run["strategy"], str(run["rebalance_sessions"]), f"{run['cost_bps']:g}", percent(before["total"]),
            percent(run["after_tax"]["total"]), percent(float(run["values"]["liquidation"]) / initial - 1),
            f"{100 * before['vol_annual']:.1f} %", number(before["sharpe"]), number(run["deflated_sharpe"]),
            f"{100 * before['max_drawdown']:.1f} %", f"{100 * run['turnover_annual']:.0f} %", interval]) + " |")
    return lines


def alpha_table(data, cost):
    lines = ["| strategy | over equal weight | cash | beta | selection | cost | tax |", "|---|" + "--:|" * 6]
    for run in data["runs"]:
        if run["cost_bps"] == cost:
            alpha = run["alpha_after_tax"]
            parts = [alpha[key] for key in ("total", "cash_timing", "beta", "selection", "cost", "tax")]
            lines.append("| " + " | ".join([run["strategy"], *map(percent, parts)]) + " |")
    return lines


def windows_table(results):
    lines = ["| strategy | sessions | windows | over equal weight (95 %) | cash-matched (95 %) | after tax (95 %) | ahead |",
             "|---|" + "--:|" * 6]
    for policy, data in results:
        for one in data["summary"]:
            def with_interval(mean, low, high):
                return f"{percent(one[mean], 2)} ({percent(one[low], 2)} to {percent(one[high], 2)})"
            lines.append("| " + " | ".join([
                policy, str(one["length"]), str(one["n"]), with_interval("mean_alpha", "ci_low", "ci_high"),
                with_interval("mean_alpha_cash_matched", "cm_ci_low", "cm_ci_high"),
                with_interval("mean_after_tax_alpha", "at_ci_low", "at_ci_high"), f"{100 * one['hit_rate']:.0f} %"]) + " |")
    return lines


def summary(data):
    superior = data["superior_ability"]
    text = f"{data['assets']} symbols were members at some time; {data['trials']['configurations']} configurations in the ledger. "
    text += f"Probability of overfitting in choosing among these runs: {100 * data['overfitting_probability']:.0f} %. "
    return text + f"Best against equal weight: {superior['best']}, p = {superior['p_value']:.2f} (superior predictive ability)."


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default="target/release/lotwise")
    parser.add_argument("--prices", default="../shared/data")
    parser.add_argument("--trials", default="target/baselines.ndjson")
    parser.add_argument("--windows", default="equal-weight,equal-weight-hold,inverse-volatility,momentum-tilt,harvester,single-index")
    arguments = parser.parse_args()

    def lotwise(*words):
        command = [arguments.binary, *words, "--json", "--trials", arguments.trials]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["data"]

    for title, (name, start, end) in PERIODS.items():
        data = lotwise("backtest", "-c", f"docs/examples/baselines_{name}.toml")
        print(f"## {title}: {start} to {end}\n\n{summary(data)}\n")
        print("\n".join(runs_table(data)))
        print("\nParts of the difference from equal weight after taxes, at 5 basis points:\n")
        print("\n".join(alpha_table(data, 5)))
        results = []
        for policy in arguments.windows.split(","):
            every = "21" if policy in SLOW else "1"
            results.append((policy, lotwise("evaluate", "--policy", policy, "--prices", arguments.prices, "--from", start,
                                            "--to", end, "--rebalance-sessions", every)))
        print("\nWindows, every five sessions, from cash, at 5 basis points:\n")
        print("\n".join(windows_table(results)) + "\n")


if __name__ == "__main__":
    main()
