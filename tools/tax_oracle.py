#!/usr/bin/env python3
"""Compares a year's federal tax with an outside calculator on random households.

    python3 -m venv venv && venv/bin/pip install taxcalc==6.8.0
    cargo build -p lotwise
    venv/bin/python tools/tax_oracle.py --lotwise target/debug/lotwise --out docs/results/tax_oracle.md

Households are drawn from a seed: wages, interest, dividends and capital results of either sign, some
of them on the edges of bands and thresholds. Compared are adjusted gross income, taxable income,
regular tax before credits (with preferential rates) and the net investment income tax. Credits,
the alternative minimum tax and payroll taxes are in neither. Exit code 1 when a difference above a
dollar is not one of those explained here.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from importlib.metadata import version

import numpy as np
import pandas as pd
import taxcalc

YEARS = range(2018, 2027)
STATUSES = ["single", "married_joint", "married_separate", "head_of_household", "surviving_spouse"]
FIELDS = [
    # Ours, theirs, name in the table.
    ("adjusted_gross_income", "c00100", "adjusted gross income"),
    ("taxable_income", "c04800", "taxable income"),
    ("regular_tax", "taxbc", "regular tax"),
    ("net_investment_income_tax", "niit", "net investment income tax"),
]


def households(year, count, rng):
    """Whole dollars: the calculator's input is a float, ours is exact."""
    def amount(share, top):
        return int(round(10 ** rng.uniform(1, np.log10(top)))) if rng.random() < share else 0

    def result():
        kind = rng.random()
        if kind < 0.25:
            return 0
        size = amount(1, 3_000 if kind < 0.4 else 60_000 if kind < 0.75 else 1_500_000)
        return size if rng.random() < 0.6 else -size

    parameters = taxcalc.Policy()
    parameters.set_year(year)
    edges = {}
    for at, status in enumerate(STATUSES):
        single = lambda name: float(getattr(parameters, name)[0][at])
        edges[status] = [
            single(name)
            for name in ["CG_brk1", "CG_brk2", "II_brk1", "II_brk2", "II_brk3", "II_brk4", "II_brk5", "II_brk6"]
        ] + [single("NIIT_thd")]
    found = []
    for index in range(count):
        status = STATUSES[index % len(STATUSES)]
        house = {
            "id": f"{year}-{index:04}",
            "year": year,
            "filing_status": status,
            "wages": amount(0.85, 1_200_000),
            "interest": amount(0.4, 80_000),
            "ordinary_dividends_nonqualified": amount(0.4, 60_000),
            "qualified_dividends": amount(0.5, 300_000),
            "short_term_gain": result(),
            "long_term_gain": result(),
        }
        if index % 4 == 0:
            # Near an edge, so that bands and thresholds are crossed and not only passed.
            top = rng.choice(edges[status]) + float(getattr(parameters, "STD")[0][STATUSES.index(status)])
            house["wages"] = max(0, int(top - rng.randrange(0, 12_000)))
            house["qualified_dividends"] = rng.randrange(0, 15_000)
            house["long_term_gain"] = rng.randrange(-5_000, 15_000)
        found.append(house)
    return found


def ours(binary, houses):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"cases": [{"input": house} for house in houses]}, file)
        file.flush()
        ran = subprocess.run([binary, "verify", file.name, "--json"], capture_output=True, text=True, check=False)
    cases = json.loads(ran.stdout)["data"]["cases"]
    assert len(cases) == len(houses), ran.stderr
    return [{name: float(case["computed"][name]) for name, _, _ in FIELDS} for case in cases]


def theirs(year, houses):
    column = lambda name: np.array([house[name] for house in houses], dtype=float)
    status = np.array([STATUSES.index(house["filing_status"]) + 1 for house in houses])
    wages = column("wages")
    data = pd.DataFrame({
        "RECID": np.arange(1, len(houses) + 1),
        "FLPDYR": year,
        "MARS": status,
        "XTOT": np.where(status == 1, 1, np.where(status == 3, 1, 2)),
        "EIC": 0,
        "age_head": 40,
        "age_spouse": np.where(status == 2, 40, 0),
        "e00200": wages,
        "e00200p": wages,
        "e00200s": 0.0,
        "e00300": column("interest"),
        "e00600": column("ordinary_dividends_nonqualified") + column("qualified_dividends"),
        "e00650": column("qualified_dividends"),
        "p22250": column("short_term_gain"),
        "p23250": column("long_term_gain"),
    })
    policy = taxcalc.Policy()
    policy.set_year(year)
    records = taxcalc.Records(data=data, start_year=year, gfactors=None, weights=None)
    calculator = taxcalc.Calculator(policy=policy, records=records, verbose=False)
    calculator.calc_all()
    columns = {name: calculator.array(theirs) for name, theirs, _ in FIELDS}
    return [{name: float(columns[name][at]) for name in columns} for at in range(len(houses))]


def top_bracket_of_2023(year, house, name, mine, other):
    """Rev. Proc. 2022-38 starts the 37 % bracket of separate filers at 346,875, half of the joint 693,750; the
    calculator's table repeats the single filer's 578,125. Two points of the slice between are missing there."""
    missing = mine[name] - other[name]
    return (
        year == 2023
        and house["filing_status"] == "married_separate"
        and name == "regular_tax"
        and 0 < missing <= 0.02 * (578_125 - 346_875) + 0.01
    )


EXPLAINED = [
    (
        "regular tax of separate filers in 2023: the calculator starts the 37 % bracket at 578,125, the single filer's "
        "number; Rev. Proc. 2022-38 has 346,875, half of the joint 693,750, as we do. At most 4,625 dollars, and always "
        "ours above theirs",
        top_bracket_of_2023,
    ),
]


def explained(year, house, name, mine, other):
    """Why a difference above a dollar is one of assumptions and not of arithmetic, or None."""
    for reason, holds in EXPLAINED:
        if holds(year, house, name, mine, other):
            return reason
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lotwise", default="target/debug/lotwise", help="the program")
    parser.add_argument("--count", type=int, default=400, help="households per year")
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--out", help="write the table here (Markdown)")
    arguments = parser.parse_args()

    rows, reasons, unexplained = [], {}, []
    for year in YEARS:
        houses = households(year, arguments.count, random.Random(f"{arguments.seed}-{year}"))
        mine, other = ours(arguments.lotwise, houses), theirs(year, houses)
        for name, _, title in FIELDS:
            apart = [abs(a[name] - b[name]) for a, b in zip(mine, other)]
            above = [at for at, distance in enumerate(apart) if distance > 1.0]
            for at in above:
                reason = explained(year, houses[at], name, mine[at], other[at])
                if reason:
                    reasons[reason] = reasons.get(reason, 0) + 1
                else:
                    unexplained.append((houses[at], title, mine[at][name], other[at][name]))
            within = sum(distance <= 0.01 for distance in apart)
            rows.append((year, title, len(houses), within, len(above), max(apart)))

    program = subprocess.run([arguments.lotwise, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    lines = [
        "# Federal tax against an outside calculator",
        "",
        f"`{program}` against `taxcalc {version('taxcalc')}` (PyPI; numpy {np.__version__}, pandas {pd.__version__}):",
        f"{arguments.count} random households a year, all five filing statuses, seed {arguments.seed}.",
        "",
        "```",
        f"python tools/tax_oracle.py --lotwise target/debug/lotwise --count {arguments.count} --seed {arguments.seed}",
        "```",
        "",
        "| year | figure | households | equal to the cent | more than 1 dollar apart | largest difference |",
        "|---|---|---|---|---|---|",
    ]
    lines += [f"| {y} | {title} | {n} | {same} | {above} | {largest:.2f} |" for y, title, n, same, above, largest in rows]
    lines += ["", f"Differences above a dollar: {sum(row[4] for row in rows)}, unexplained: {len(unexplained)}."]
    lines += [f"- {count} × {reason}" for reason, count in sorted(reasons.items())]
    text = "\n".join(lines) + "\n"
    print(text)
    for house, title, a, b in unexplained[:20]:
        print(f"unexplained: {title}: ours {a}, theirs {b}: {house}", file=sys.stderr)
    if arguments.out:
        with open(arguments.out, "w", encoding="utf-8") as file:
            file.write(text)
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
