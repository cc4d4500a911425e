//! What the charts look like, as text.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use insta::assert_snapshot;
use lotwise_chart::{
    Band, BarChart, BarSeries, Chart, Figure, HeatTable, Level, LineChart, STYLE, Series, Stacking, Step, Strip, Unit,
    Waterfall, Width,
};
use lotwise_core::Date;

fn line_chart(n_days: i32) -> LineChart {
    let first = Date::parse("2020-01-02").unwrap();
    let dates: Vec<Date> = (0..n_days).map(|day| first.plus_days(day * 3)).collect();
    let wave = |slope: f64, height: f64| -> Vec<Option<f64>> {
        (0..n_days).map(|day| Some(1.0 + slope * f64::from(day) + height * (f64::from(day) / 9.0).sin())).collect()
    };
    let shifted = |values: &[Option<f64>], by: f64| values.iter().map(|value| value.map(|value| value + by)).collect();
    let ours = wave(0.004, 0.05);
    LineChart {
        dates,
        series: vec![
            Series {
                name: "After tax".to_owned(),
                band: Some(Band { low: shifted(&ours, -0.06), high: shifted(&ours, 0.06) }),
                values: ours,
            },
            Series { name: "Equal weight <all>".to_owned(), values: wave(0.0038, 0.07), band: None },
        ],
        unit: Unit::Number(2),
        level: Some(Level { name: "Start".to_owned(), value: 1.0 }),
        strip: Some(Strip {
            name: "Below the last peak".to_owned(),
            values: wave(0.0, 0.1).iter().map(|value| value.map(|value| (value - 1.1).min(0.0))).collect(),
            unit: Unit::Percent(0),
        }),
    }
}

fn waterfall() -> Waterfall {
    let step = |name: &str, value| Step { name: name.to_owned(), value };
    Waterfall {
        steps: vec![
            step("Cash timing", 0.012),
            step("Market exposure", -0.004),
            step("Allocation and selection", 0.021),
            step("Trading cost", -0.003),
            step("Tax", -0.009),
        ],
        total: "Difference from equal weight".to_owned(),
        unit: Unit::Percent(2),
    }
}

fn months() -> HeatTable {
    let columns = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let row = |year: i32| {
        let cells =
            (0..12).map(|month| (year != 2022 || month > 3).then(|| f64::from((month * 7 + year) % 11 - 5) / 100.0));
        (year.to_string(), cells.collect())
    };
    HeatTable {
        corner: "Year".to_owned(),
        columns: columns.map(str::to_owned).to_vec(),
        rows: (2022..2025).map(row).collect(),
        unit: Unit::Percent(1),
    }
}

fn bars() -> BarChart {
    let series = |name: &str, values: &[f64]| BarSeries {
        name: name.to_owned(),
        values: values.iter().copied().map(Some).collect(),
    };
    BarChart {
        category: "Year".to_owned(),
        categories: (2019..2025).map(|year: i32| year.to_string()).collect(),
        series: vec![
            series("Short-term", &[1200.0, -300.0, 800.0, -1500.0, 0.0, 400.0]),
            series("Long-term", &[300.0, 900.0, 2500.0, -200.0, 1800.0, 2200.0]),
        ],
        unit: Unit::Dollars(0),
        stacking: Stacking::Stacked,
    }
}

#[test]
fn a_line_chart_names_its_lines_and_carries_its_mark() {
    assert_snapshot!(line_chart(12).draw(Width::Medium, Some("simulated")));
}

#[test]
fn a_waterfall_adds_up() {
    let chart = waterfall();
    assert!((chart.sum() - 0.017).abs() < 1e-12);
    assert_snapshot!(chart.draw(Width::Narrow, None));
}

#[test]
fn a_figure_tells_its_numbers_too() {
    let chart = waterfall();
    let figure = Figure {
        title: "Half of the difference was cash",
        summary: "The parts add up to +1.70 %.",
        source: "Sample data, 28 Jun 2024",
        mark: Some("sample data"),
        chart: &chart,
    };
    let html = figure.html(Width::Wide);
    assert!(html.contains("<th scope=\"row\">Trading cost</th><td>−0.30\u{202f}%</td>"));
    assert!(html.contains(">sample data</text>"));
}

#[test]
fn charts_without_data_are_drawn_without_panic() {
    let empty = LineChart { dates: Vec::new(), series: Vec::new(), unit: Unit::Number(0), level: None, strip: None };
    let bars = BarChart { categories: Vec::new(), series: Vec::new(), ..bars() };
    let heat = HeatTable { columns: Vec::new(), rows: Vec::new(), ..months() };
    let nothing = Waterfall { steps: Vec::new(), ..waterfall() };
    for width in Width::ALL {
        for chart in [&empty as &dyn Chart, &bars, &heat, &nothing] {
            assert!(chart.draw(width, None).ends_with("</svg>\n"));
        }
    }
}

#[test]
fn no_coordinate_is_not_a_number() {
    let mut hostile = line_chart(40);
    hostile.series[1].values[5] = Some(f64::NAN);
    hostile.series[1].values[6] = None;
    let wild = BarChart {
        series: vec![BarSeries { name: "x".to_owned(), values: vec![Some(f64::INFINITY), None, Some(-1e300)] }],
        ..bars()
    };
    for width in Width::ALL {
        for chart in [&hostile as &dyn Chart, &wild, &months(), &bars()] {
            let svg = chart.draw(width, Some("simulated"));
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }
}

/// Writes a page with every chart when `LOTWISE_CHART_PAGE` names a file, for a look in a browser.
#[test]
fn a_page_of_all_charts_is_one_file() {
    let charts: [(&str, &dyn Chart); 4] =
        [("Lines", &line_chart(400)), ("Bars", &bars()), ("Parts", &waterfall()), ("Months", &months())];
    let mut page = format!("<!doctype html><meta charset=\"utf-8\"><style>{STYLE}</style>\n");
    for (title, chart) in charts {
        for width in Width::ALL {
            let figure = Figure { title, summary: "A test.", source: "Made up", mark: Some("simulated"), chart };
            page.push_str(&figure.html(width));
        }
    }
    assert_eq!(page.matches("<svg").count(), 12);
    assert!(
        !page.contains("http:") || page.matches("http:").count() == page.matches("http://www.w3.org/2000/svg").count()
    );
    if let Some(path) = std::env::var_os("LOTWISE_CHART_PAGE") {
        std::fs::write(path, page).unwrap();
    }
}
