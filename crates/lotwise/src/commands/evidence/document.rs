//! The evidence as a document in Markdown, with nothing in it that was not measured in the same call or stands
//! in a study's table.

use std::fmt::Write as _;

use lotwise_train::encoder::study::{OverSeeds, difference, over_seeds};
use lotwise_train::encoder::{Forecast, Part};

use super::super::study::{MEASURES, StudyTable, order_words, words as over_words};
use super::{Shown, facts, percent, target, words};

/// The whole document.
pub(super) fn markdown(shown: &Shown<'_>) -> String {
    let mut text = String::from("# What the encoder is worth\n\n");
    let range = |part| shown.data.range(part).map(|date| date.to_string()).join(" to ");
    let record = shown.record;
    let _ = writeln!(
        text,
        "Made by `lotwise model evidence FILE --data FOLDER --branches --control FILE --study FOLDER --markdown`; docs/encoder.md says what \
         each figure is and what follows from them. Everything is measured on validation, {}; nothing later was read. \
         Best epochs of runs were chosen by the loss on days of the same period, so losses are a little kind to every \
         encoder here, alike. No costs and no taxes enter: nothing is traded.\n",
        range(Part::Validation)
    );
    table(
        &mut text,
        &["", ""],
        vec![
            vec!["Encoder".to_owned(), shown.manifest.digest.clone()],
            vec![
                "Trained on".to_owned(),
                format!("{}, {} companies, seed {}", range(Part::Train), shown.data.n_seen(), record.seed),
            ],
            vec!["Companies kept away".to_owned(), shown.data.held_out().len().to_string()],
            vec!["Epochs, steps".to_owned(), format!("{}, {}", record.epoch, record.step)],
            vec!["Frozen branch".to_owned(), shown.manifest.temporal.clone()],
            vec!["Data".to_owned(), shown.data.hash().to_owned()],
        ],
    );
    text.push_str("\n## The geometry, the loss, the regimes\n\n");
    let rows = facts(shown).into_iter().map(|(name, value)| vec![name, value]).collect();
    table(&mut text, &["", "validation"], rows);
    text.push_str("\nIntervals: 95 %, over days; covariances of days whose outcomes overlap are counted.\n");
    text.push_str("\n## When a block of metadata is missing\n\nIncrease of the loss, seen tickers.\n\n");
    let missing = shown.found.missing_block_increase.iter();
    table(
        &mut text,
        &["block", "loss"],
        missing.map(|(name, more)| vec![(*name).to_owned(), percent(*more)]).collect(),
    );
    text.push_str(
        "\n## What a line foretells\n\nRidge regressions, fitted to 256 days of training, their strength chosen between \
         five stretches of it, judged on 120 days of validation. `held_out` are tickers that neither the encoder nor the line \
         has seen. R² is against the mean of training; gain is the rank correlation \
         less that of `har` or `momentum`, day by day.\n\n",
    );
    forecasts(&mut text, &shown.found.forecasts);
    if !shown.branches.is_empty() {
        text.push_str(
            "\n## What frozen branches foretell by themselves\n\nThe same, from a branch's numbers beside the four \
             statistics of scale; `none` is the statistics alone, which the gain is over.\n\n",
        );
        forecasts(&mut text, &shown.branches);
    }
    if let Some(study) = &shown.study {
        text.push_str(&compared(study));
    }
    text
}

fn compared(study: &StudyTable) -> String {
    let mut text = String::from("\n## Encoders that differ in one thing\n\n");
    let seeds = study.seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    let _ = writeln!(
        text,
        "`lotwise train study --data FOLDER --out FOLDER -c docs/examples/encoder_study.toml`, seeds {seeds}, validation {}, \
         data {}. Short runs: they compare, they are not what is shipped. Mean ± half of a 95 % interval over seeds \
         (Student); where a variant has run with one seed so far, none is given.\n",
        study.validation.join(" to "),
        study.data
    );
    table(
        &mut text,
        &["variant", "what"],
        study.variants.iter().map(|(name, what)| vec![name.clone(), what.clone()]).collect(),
    );
    let seeds_of = |name: &str| study.runs.iter().filter(|run| run.variant == name).count();
    let mut headings = vec!["variant", "seeds"];
    headings.extend(MEASURES.map(|(_, heading, _)| heading));
    let rows = |of: &dyn Fn(&str, &str) -> Option<OverSeeds>| -> Vec<Vec<String>> {
        let row = |(name, _): &(String, String)| {
            let cells = MEASURES.map(|(measure, _, digits)| over_words(of(name, measure), digits));
            [vec![name.clone(), seeds_of(name).to_string()], cells.to_vec()].concat()
        };
        study.variants.iter().filter(|(name, _)| seeds_of(name) > 0).map(row).collect()
    };
    text.push('\n');
    table(&mut text, &headings, rows(&|name, measure| over_seeds(&study.runs, name, measure)));
    if let Some((reference, _)) = study.variants.first() {
        let _ = writeln!(text, "\nDifference from `{reference}`, seed by seed:\n");
        let mut less = rows(&|name, measure| difference(&study.runs, name, reference, measure));
        less.retain(|row| row[0] != *reference);
        table(&mut text, &headings, less);
    }
    for order in &study.orders {
        let _ = writeln!(text, "\n{}", order_words(order, &study.runs));
    }
    text
}

fn forecasts(text: &mut String, forecasts: &[Forecast]) {
    let headings = ["target", "sessions", "tickers", "from", "R²", "rank correlation", "gain", "right sign"];
    let row = |one: &Forecast| {
        vec![
            target(one.target).to_owned(),
            one.horizon.to_string(),
            one.tickers.to_owned(),
            one.inputs.to_owned(),
            one.r_squared.map_or("–".to_owned(), |value| format!("{value:.3}")),
            words(one.rank_correlation),
            words(one.gain),
            words(one.hit_rate),
        ]
    };
    table(text, &headings, forecasts.iter().map(row).collect());
}

fn table(text: &mut String, headings: &[&str], rows: Vec<Vec<String>>) {
    let _ = writeln!(text, "| {} |\n|{}", headings.join(" | "), "---|".repeat(headings.len()));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
}
