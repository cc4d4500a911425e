//! Sections of a Flex report, by how they are read.

/// How the records of a section are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Treatment {
    Trades,
    Cash,
    CorporateActions,
    Transfers,
    Positions,
    /// Repeats what trades and cash transactions say.
    Repeats,
    /// Nothing has happened yet.
    Pending,
    /// Balances, prices and analyses: no records of events.
    NotRecords,
    Unknown,
}

/// How this section is read.
pub(super) fn treatment(name: &str) -> Treatment {
    match name {
        "Trades" | "TradeConfirms" | "TradeConfirmations" => Treatment::Trades,
        "CashTransactions" => Treatment::Cash,
        "CorporateActions" => Treatment::CorporateActions,
        "Transfers" => Treatment::Transfers,
        "OpenPositions" => Treatment::Positions,
        _ if REPEATS.contains(&name) => Treatment::Repeats,
        _ if PENDING.contains(&name) => Treatment::Pending,
        _ if NOT_RECORDS.contains(&name) => Treatment::NotRecords,
        _ => Treatment::Unknown,
    }
}

const REPEATS: [&str; 14] = [
    "StmtFunds",
    "OptionEAE",
    "FxTransactions",
    "UnbundledCommissionDetails",
    "TransactionTaxes",
    "SalesTaxes",
    "ClientFees",
    "ClientFeesDetail",
    "CFDCharges",
    "RoutingCommissions",
    "HardToBorrowDetails",
    "HardToBorrowMarkupDetails",
    "SLBFees",
    "MutualFundDividendDetails",
];

const PENDING: [&str; 6] = [
    "UnbookedTrades",
    "UnsettledTransfers",
    "PendingExcercises",
    "PendingExercises",
    "DepositsOnHold",
    "PriorPeriodPositions",
];

const NOT_RECORDS: [&str; 30] = [
    "AccountInformation",
    "CashReport",
    "ChangeInDividendAccruals",
    "ChangeInNAV",
    "ChangeInPositionValues",
    "ComplexPositions",
    "ConversionRates",
    "EquitySummaryInBase",
    "FIFOPerformanceSummaryInBase",
    "FdicInsuredDepositsByBank",
    "FxLots",
    "FxPositions",
    "IncentiveCouponAccrualDetails",
    "InterestAccruals",
    "MTDYTDPerformanceSummary",
    "MTMPerformanceSummaryInBase",
    "NetStockPositionSummary",
    "OpenDividendAccruals",
    "OpenIncentiveCoupons",
    "OpenIncentiveCouponDetails",
    "SecuritiesInfo",
    "SLBActivities",
    "SLBCollaterals",
    "SLBOpenContracts",
    "SoftDollars",
    "TierInterestDetails",
    "TierInterestDetail",
    "NetStockPositions",
    "SymbolSummary",
    "BorrowFeesDetails",
];
