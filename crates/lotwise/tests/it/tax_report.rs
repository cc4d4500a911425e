//! `tax report`.

use crate::program::Folder;

const HISTORY: &str = "\
date,action,symbol,shares,price,amount,fees,account
2010-05-03,buy,OLDC,100,10,-1000,0,Main
2022-01-03,buy,ALFA,100,10,-1001,1,Main
2023-03-01,sell,ALFA,40,15,600,0,Main
2022-04-04,buy,BETA,10,20,-200,0,Main
2023-02-01,sell,BETA,10,15,150,0,Main
2023-02-10,buy,BETA,4,15,-60,0,Main
2023-02-11,buy,BETA,2,15,-30,0,Roth IRA
2023-06-01,sell,BETA,4,18,72,0,Main
2023-07-03,sell,OLDC,100,12,1200,0,Main
";

fn folder() -> Folder {
    Folder::new().with("h.csv", HISTORY).set("LOTWISE_TODAY", "2024-07-01").set("LOTWISE_STATUS", "single")
}

const REPORT: [&str; 6] = ["tax", "report", "--year", "2023", "--history", "h.csv"];

fn arguments<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&REPORT[..], more].concat()
}

#[test]
fn the_forms_of_a_year_are_shown_with_their_reasons() {
    insta::assert_snapshot!(folder().run(&REPORT).all());
}

#[test]
fn programs_get_every_row_and_totals_that_are_their_sums() {
    let ran = folder().run(&arguments(&["--format", "json"]));
    assert_eq!(ran.code, 0, "{}", ran.all());
    let json = ran.json();
    assert_eq!(json["schema"], "lotwise.tax_report/1");
    assert_eq!(json, folder().run(&arguments(&["--json"])).json());
    let boxes = json["data"]["form_8949"].as_array().unwrap();
    assert_eq!(boxes.iter().map(|page| page["box"].as_str().unwrap()).collect::<String>(), "ADE");
    let cents = |value: &serde_json::Value| -> i64 {
        let text = value.as_str().unwrap();
        text.replace('.', "").parse().unwrap()
    };
    for page in boxes {
        for column in ["proceeds", "basis", "adjustment", "gain"] {
            let sum: i64 = page["rows"].as_array().unwrap().iter().map(|row| cents(&row[column])).sum();
            assert_eq!(sum, cents(&page["totals"][column]), "{column} of {page}");
        }
    }
    let schedule = &json["data"]["schedule_d"];
    assert_eq!(
        (&schedule["7"], &schedule["15"], &schedule["16"]),
        (&"-20.00".into(), &"391.60".into(), &"371.60".into())
    );
    assert_eq!(json["data"]["accounts_complete"], false);
}

#[test]
fn a_table_and_a_file_for_tax_programs_are_printed() {
    insta::assert_snapshot!(folder().run(&arguments(&["--csv", "--quiet"])).stdout);
    let txf = folder().run(&arguments(&["--format", "txf"]));
    assert_eq!(txf.code, 0, "{}", txf.all());
    let lines: Vec<&str> = txf.stdout.split_terminator("\r\n").collect();
    assert!(lines[0] == "V042" && lines[2] == "D 07/01/2024" && lines.len() == 4 + 4 * 11, "{}", txf.stdout);
    let masked = folder().run(&arguments(&["--format", "txf", "--privacy"]));
    assert_eq!(masked.code, 2, "{}", masked.all());
}

#[test]
fn a_page_to_print_stands_alone_and_masks_what_privacy_masks() {
    let folder = folder();
    let ran = folder.run(&arguments(&["--format", "html", "--out", "r.html"]));
    assert_eq!(ran.code, 0, "{}", ran.all());
    let page = std::fs::read_to_string(folder.path("r.html")).unwrap();
    for part in
        ["<!DOCTYPE html>", "Part II, box E", "03/01/2023", "600.00", "@media print", "No other account is loaded"]
    {
        assert!(page.contains(part), "{part}");
    }
    for foreign in ["http", "<script", "<img", "<link", "@import", "url("] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    // The file is there now.
    assert_eq!(folder.run(&arguments(&["--format", "html", "--out", "r.html"])).code, 5);
    let masked = folder.run(&arguments(&["--format", "html", "--out", "r.html", "--yes", "--privacy"]));
    assert_eq!(masked.code, 0, "{}", masked.all());
    let page = std::fs::read_to_string(folder.path("r.html")).unwrap();
    assert!(!page.contains("600.00") && !page.contains("40 sh.") && page.contains("•••"));
}

#[test]
fn what_a_file_says_is_text_and_never_markup() {
    let history = HISTORY.replace(",Main", ",<script>x</script>");
    let ran = Folder::new().with("h.csv", history).run(&arguments(&["--format", "html", "--quiet"]));
    assert!(ran.stdout.contains("&lt;script&gt;") && !ran.stdout.contains("<script"), "{}", ran.all());
}

#[test]
fn the_person_says_what_brokers_reported() {
    let letters = |more: &[&str]| {
        let json = folder().run(&arguments(&[&["--json"], more].concat())).json();
        let pages = json["data"]["form_8949"].as_array().unwrap().clone();
        pages.iter().map(|page| page["box"].as_str().unwrap().to_owned()).collect::<String>()
    };
    assert_eq!(letters(&["--reported-as", "alfa=nothing"]), "ADEF");
    assert_eq!(letters(&["--reported-as", "OLDC=basis", "--totals"]), "A");
    let wrong = folder().run(&arguments(&["--reported-as", "ALFA=some"]));
    assert!(wrong.code == 2 && wrong.stderr.contains("nothing"), "{}", wrong.all());
}

#[test]
fn an_unknown_basis_is_a_range_and_keeps_out_of_txf() {
    let folder = Folder::new()
        .with("h.csv", "date,action,symbol,shares,price,amount,fees,account\n2023-03-01,sell,ALFA,4,15,60,0,Main\n");
    let ran = folder.run(&arguments(&["--json"]));
    let data = &ran.json()["data"];
    assert_eq!(data["range"]["highest"]["16"], "60.00");
    assert!(data["range"]["lowest"].is_null() && data["not_ready"][0]["basis"].is_null(), "{data}");
    assert_eq!(data["schedule_d"]["16"], "0.00");
    assert!(folder.run(&REPORT).stdout.contains("up to +$60"));
    let refused = folder.run(&arguments(&["--format", "txf"]));
    assert!(refused.code == 3 && refused.stderr.contains("4 sh. ALFA"), "{}", refused.all());
}

#[test]
fn forms_that_state_no_lots_are_refused_by_name() {
    let ran = folder().run(&arguments(&["--reconcile", "h.csv"]));
    assert!(ran.code == 3 && ran.stderr.contains("states no lots"), "{}", ran.all());
    let both = folder().run(&arguments(&["--json", "--format", "csv"]));
    assert_eq!(both.code, 2, "{}", both.all());
}

#[test]
fn a_brokers_form_is_compared_row_by_row_and_its_boxes_are_used() {
    let form = "\
Description,Symbol,Quantity,Date Acquired,Date Sold,Proceeds,Cost Basis,Wash Sale Loss Disallowed,Term,Covered
OLDC INC,OLDC,100,VARIOUS,07/03/2023,1200.00,,,Long,Noncovered
ALFA,ALFA,40,01/03/2022,03/01/2023,600.00,400.00,,Long,Covered
BETA,BETA,10,04/04/2022,02/01/2023,150.00,200.00,20.00,Short,Covered
";
    let ran = folder().with("form.csv", form).run(&arguments(&["--reconcile", "form.csv"]));
    assert_eq!(ran.code, 0, "{}", ran.all());
    insta::assert_snapshot!(ran.stdout);
}
