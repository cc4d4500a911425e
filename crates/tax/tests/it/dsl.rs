//! Ledgers as text, and bookings as text.
//!
//! ```text
//! 2024-01-02 buy 10 AAA @ 50 fee 1 in U
//! 2024-01-03 open 5 AAA basis 200 since 2020-01-01
//! 2024-03-01 sell 4 AAA for 300 by lifo
//! 2024-03-02 sell 4 AAA @ 70 lots L1=3 L2=1
//! 2024-04-01 split 2:1 AAA
//! 2024-04-02 return 25 AAA
//! 2024-04-03 remove 5 AAA
//! 2024-04-04 transfer 5 AAA to U
//! 2024-04-05 gift 5 AAA basis 100 since 2020-01-01 worth 80
//! 2024-04-06 inherit 5 AAA worth 100 since 2024-03-01
//! 2024-04-07 spinoff 1:4 AAA into BBB part 0.25
//! 2024-04-08 rename 1:1 AAA into CCC
//! 2024-04-08 merge 1:2 AAA into CCC cash 10 worth 90
//! 2024-04-09 short 5 AAA @ 80
//! 2024-04-10 cover 5 AAA @ 70
//! 2024-04-11 exercise 1 AAA241220C00050000
//! 2024-04-11 assign 1 AAA241220C00050000
//! 2024-04-11 expire 1 AAA241220C00050000
//! ```
//! Corporate actions concern the household, with `alone` or cash the account. An option's shares,
//! strike and direction come from its symbol, a hundred shares a contract.
//! Lots are named L1, L2, … and sales S1, S2, … in the order of the lines. Accounts are `T` and
//! `U` (taxable), `I` (IRA), `R` (Roth), `P` and `Q` (the spouse's taxable account and IRA).

#![expect(clippy::unwrap_used, reason = "a ledger that cannot be read is a mistake of the test that wrote it")]

use std::fmt::Write as _;

use lotwise_core::{Date, Money, OptionContract, OptionRight, Price, Rate, Shares, Symbol};
use lotwise_tax::{
    Account, AccountId, AccountKind, BasisSource, Booking, Boot, Delivery, Error, Event, EventKind, ExchangeKind,
    Ledger, LotId, LotSelection, Method, OpenShort, Rules, SaleId, SaleRow, Scope, Way,
};

/// Books a ledger under the default rules.
pub fn book(text: &str) -> Booking {
    lotwise_tax::book(&ledger(text), &Rules::default()).unwrap()
}

/// Books a ledger under other rules.
pub fn book_by(text: &str, change: impl FnOnce(&mut Rules)) -> Booking {
    let mut rules = Rules::default();
    change(&mut rules);
    lotwise_tax::book(&ledger(text), &rules).unwrap()
}

/// Why a ledger cannot be booked.
pub fn refusal(text: &str) -> Error {
    lotwise_tax::book(&ledger(text), &Rules::default()).unwrap_err()
}

pub fn accounts() -> Vec<Account> {
    [
        ("T", AccountKind::Taxable),
        ("U", AccountKind::Taxable),
        ("I", AccountKind::Ira),
        ("R", AccountKind::Roth),
        ("P", AccountKind::SpouseTaxable),
        ("Q", AccountKind::SpouseIra),
    ]
    .map(|(id, kind)| Account { id: AccountId::new(id), kind, method: Method::Fifo })
    .to_vec()
}

pub fn method(text: &str) -> Method {
    match text {
        "fifo" => Method::Fifo,
        "lifo" => Method::Lifo,
        "hifo" => Method::Hifo,
        "lofo" => Method::Lofo,
        "min-tax" => Method::MinTax,
        "average" => Method::Average,
        other => panic!("method {other}"),
    }
}

pub fn ledger(text: &str) -> Ledger {
    let (mut lots, mut sales) = (0, 0);
    let mut events = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        events.push(event(line, &mut lots, &mut sales));
    }
    Ledger { accounts: accounts(), events }
}

/// Reads one line, counting the lots and sales named so far.
pub fn event(line: &str, lots: &mut u32, sales: &mut u32) -> Event {
    let words: Vec<&str> = line.split_whitespace().collect();
    let after = |key: &str| words.iter().position(|word| *word == key).map(|position| words[position + 1]);
    let (date, verb, quantity, symbol) = (words[0], words[1], words[2], words[3]);
    let money = |key: &str| after(key).map(|text| Money::parse(text).unwrap());
    let shares = |text: &str| Shares::parse(text).unwrap();
    let amount = || money("for").unwrap_or_else(|| Price::parse(after("@").unwrap()).unwrap() * shares(quantity));
    let fee = money("fee").unwrap_or(Money::ZERO);
    let named = |prefix: &str, count: &mut u32| {
        *count += 1;
        after("as").map_or_else(|| format!("{prefix}{count}"), str::to_owned)
    };
    let kind = match verb {
        "buy" => EventKind::Buy { lot: LotId::new(&named("L", lots)), shares: shares(quantity), amount: amount(), fee },
        "open" => EventKind::Open {
            lot: LotId::new(&named("L", lots)),
            shares: shares(quantity),
            basis: money("basis"),
            acquired: after("since").map(|text| Date::parse(text).unwrap()),
            source: if after("basis").is_some() { BasisSource::Stated } else { BasisSource::Unknown },
        },
        "sell" => {
            let lots = match (after("by"), words.iter().position(|word| *word == "lots")) {
                (Some(by), _) => LotSelection::By(method(by)),
                (None, Some(position)) => LotSelection::Lots(
                    words[position + 1..]
                        .iter()
                        .map_while(|word| word.split_once('='))
                        .map(|(lot, part)| (LotId::new(lot), shares(part)))
                        .collect(),
                ),
                (None, None) => LotSelection::Standing,
            };
            EventKind::Sell {
                sale: SaleId::new(&named("S", sales)),
                shares: shares(quantity),
                amount: amount(),
                fee,
                lots,
                identified: after("told").map(|text| Date::parse(text).unwrap()),
            }
        }
        "split" => {
            let (new, old) = quantity.split_once(':').unwrap();
            EventKind::Split { new: shares(new), old: shares(old) }
        }
        "return" => EventKind::ReturnOfCapital {
            sale: SaleId::new(&named("S", sales)),
            amount: Money::parse(quantity).unwrap(),
        },
        "remove" => EventKind::Remove { shares: shares(quantity) },
        "transfer" => EventKind::Transfer {
            to: AccountId::new(after("to").unwrap()),
            shares: shares(quantity),
            lots: LotSelection::Standing,
        },
        "gift" => EventKind::Gift {
            lot: LotId::new(&named("L", lots)),
            shares: shares(quantity),
            donor_basis: money("basis"),
            donor_acquired: after("since").map(|text| Date::parse(text).unwrap()),
            value: money("worth").unwrap(),
        },
        "inherit" => EventKind::Inherit {
            lot: LotId::new(&named("L", lots)),
            shares: shares(quantity),
            value: money("worth"),
            died: after("since").map(|text| Date::parse(text).unwrap()),
        },
        "spinoff" | "rename" | "merge" => {
            let (new, old) = quantity.split_once(':').unwrap();
            let (new, old, to) = (shares(new), shares(old), Symbol::parse(after("into").unwrap()).unwrap());
            let cash = money("cash").map(|cash| Boot {
                sale: SaleId::new(&named("S", sales)),
                cash,
                value: money("worth").unwrap(),
            });
            let alone = cash.is_some() || words.contains(&"alone");
            let scope = if alone { Scope::Account } else { Scope::Household };
            let kind = if verb == "rename" { ExchangeKind::Rename } else { ExchangeKind::Reorganisation };
            match after("part") {
                Some(part) => EventKind::SpinOff { to, new, old, to_new: Rate::parse(part).unwrap(), scope },
                None => EventKind::Exchange { to, new, old, kind, cash, scope },
            }
        }
        "short" => {
            EventKind::ShortSell { lot: LotId::new(&named("L", lots)), shares: shares(quantity), amount: amount(), fee }
        }
        "cover" => EventKind::Cover {
            sale: SaleId::new(&named("S", sales)),
            shares: shares(quantity),
            amount: amount(),
            fee,
            lots: LotSelection::Standing,
            settled: None,
        },
        "exercise" | "assign" => {
            let contract = OptionContract::parse_occ(symbol).unwrap();
            let delivered = Shares::from_billionths(shares(quantity).billionths() * 100);
            let comes_in = (contract.right == OptionRight::Call) == (verb == "exercise");
            let delivery = Delivery {
                contracts: shares(quantity),
                underlying: contract.underlying,
                shares: delivered,
                amount: contract.strike * delivered,
                fee,
                way: if comes_in {
                    Way::In { lot: LotId::new(&named("L", lots)) }
                } else {
                    Way::Out { sale: SaleId::new(&named("S", sales)), lots: LotSelection::Standing }
                },
            };
            if verb == "exercise" { EventKind::Exercise(delivery) } else { EventKind::Assign(delivery) }
        }
        "expire" => EventKind::Expire { sale: SaleId::new(&named("S", sales)), contracts: shares(quantity) },
        other => panic!("verb {other}"),
    };
    Event {
        date: Date::parse(date).unwrap(),
        account: AccountId::new(after("in").unwrap_or("T")),
        symbol: Symbol::parse(symbol).unwrap(),
        kind,
    }
}

/// One line per row, one per open segment, one for what is lost for good.
pub fn show(booking: &Booking) -> String {
    let mut text = String::new();
    for row in &booking.sales {
        text += &show_row(row);
    }
    for lot in &booking.open_lots {
        let basis = lot.basis.map_or("?".into(), |basis| basis.to_string());
        let from = lot.holding_from.map_or("?".into(), |from| from.to_string());
        write!(text, "{} holds {} {} of {}: basis {basis}, from {from}", lot.account, lot.shares, lot.symbol, lot.lot)
            .unwrap();
        if lot.washed {
            write!(text, ", washed {}", lot.deferred_loss).unwrap();
        }
        text.push('\n');
    }
    for short in &booking.open_shorts {
        let OpenShort { account, shares, symbol, lot, proceeds, opened, .. } = short;
        writeln!(text, "{account} owes {shares} {symbol} of {lot}: proceeds {proceeds}, from {opened}").unwrap();
    }
    if !booking.permanently_disallowed.is_zero() {
        writeln!(text, "lost for good: {}", booking.permanently_disallowed).unwrap();
    }
    text
}

pub fn show_row(row: &SaleRow) -> String {
    let amount = |amount: Option<Money>| amount.map_or("?".into(), |amount| amount.to_string());
    let mut text = format!(
        "{} {} {} of {}: {} - {} = {} {}",
        row.sale,
        row.shares,
        row.symbol,
        row.lot,
        row.proceeds,
        amount(row.basis),
        amount(row.gain),
        row.term.map_or("?", |term| term.name()),
    );
    if !row.matches.is_empty() {
        write!(text, ", {} {} disallowed", row.code, row.disallowed).unwrap();
        for replacement in &row.matches {
            let lost = if replacement.permanent { " lost" } else { "" };
            write!(text, " [{} x {}: {}{lost}]", replacement.shares, replacement.lot, replacement.disallowed).unwrap();
        }
    }
    text.push('\n');
    text
}
