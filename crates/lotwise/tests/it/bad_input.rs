//! Files that are no history: a clear error with place and remedy, the right exit code, no panic.

use std::fs::File;

use crate::program::{Folder, Ran};

const HEADER: &str = "date,action,symbol,shares,price,amount,fees\n";

fn told(ran: &Ran, code: i32, words: &str) {
    assert_eq!(ran.code, code, "{}", ran.all());
    assert!(ran.stderr.contains(words), "{words:?} in {}", ran.all());
    assert!(!ran.stderr.contains("fault of its own"), "{}", ran.all());
}

fn utf16(text: &str) -> Vec<u8> {
    let mut bytes = vec![0xff, 0xfe];
    bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    bytes
}

#[test]
fn what_is_no_history_is_named_with_a_remedy() {
    let cases: [(&str, Vec<u8>, i32, &str); 6] = [
        ("empty", Vec::new(), 3, "empty"),
        ("blank", b"\n\n  \n".to_vec(), 3, ""),
        ("binary", (0..=255).cycle().take(5000).collect(), 3, ""),
        ("zip", b"PK\x03\x04rest of a workbook".to_vec(), 3, ""),
        ("prose", b"Dear customer,\nplease find enclosed nothing.\n".to_vec(), 3, "formats"),
        ("missing column", b"date,action,symbol,shares,fees\n2024-01-02,buy,ALFA,1,0\n".to_vec(), 3, ""),
    ];
    for (name, content, code, words) in cases {
        let folder = Folder::new().with("file.csv", content);
        let ran = folder.run(&["import", "--dry-run", "file.csv"]);
        told(&ran, code, words);
        told(&ran, code, "file.csv");
        assert!(ran.stderr.contains("\n  = ") || ran.stderr.contains(';'), "{name} has a remedy: {}", ran.stderr);
        let json = folder.run(&["import", "--dry-run", "file.csv", "--json"]);
        assert_eq!((json.code, json.stderr.as_str()), (code, ""));
        assert_eq!(json.json()["error"]["where"]["file"], "file.csv");
    }
}

#[test]
fn every_encoding_of_one_text_reads_alike() {
    let text = format!("{HEADER}2024-01-02,buy,ALFA,10,50,-500,0\n");
    let mut with_mark = vec![0xef, 0xbb, 0xbf];
    with_mark.extend(text.as_bytes());
    let latin = text.replace("fees\n", "fees,note\n").replace(",0\n", ",0,caf\u{e9}\n");
    let latin: Vec<u8> = latin.chars().map(|character| character as u8).collect();
    let variants = [text.clone().into_bytes(), with_mark, utf16(&text), text.replace('\n', "\r\n").into_bytes(), latin];
    for content in variants {
        let ran = Folder::new().with("a.csv", content).run(&["import", "--dry-run", "a.csv", "--json"]);
        assert_eq!(ran.code, 0, "{}", ran.all());
        assert_eq!(ran.json()["data"]["totals"]["buy"]["amount"], "-500.00");
    }
}

#[test]
fn nul_bytes_and_a_cut_end_are_told_and_never_guessed() {
    let nul = format!("{HEADER}2024-01-02,buy,AL\0FA,10,50,-500,0\n");
    let ran = Folder::new().with("a.csv", nul).run(&["import", "--dry-run", "a.csv"]);
    told(&ran, 3, "a.csv");
    let cut = format!("{HEADER}2024-01-02,buy,ALFA,10,50,-500,0\n2024-01-03,buy,AL");
    told(&Folder::new().with("a.csv", cut).run(&["import", "--dry-run", "a.csv"]), 3, "a.csv:3");
    let open = format!("{HEADER}2024-01-02,buy,\"ALFA,10,50,-500,0\n2024-01-03,buy,ALFA,1,1,-1,0\n");
    told(&Folder::new().with("a.csv", open).run(&["import", "--dry-run", "a.csv"]), 3, "a.csv");
    let xml =
        "<?xml version=\"1.0\"?>\n<FlexQueryResponse queryName=\"x\" type=\"AF\">\n<FlexStatements count=\"1\">\n<Flex";
    told(&Folder::new().with("a.xml", xml).run(&["import", "--dry-run", "a.xml"]), 3, "a.xml");
}

#[test]
fn ten_gigabytes_are_refused_before_a_byte_is_read() {
    let folder = Folder::new();
    File::create(folder.path("huge.csv")).unwrap().set_len(10 << 30).unwrap();
    let ran = folder.run(&["import", "--dry-run", "huge.csv"]);
    told(&ran, 3, "10240 MB, more than the");
}

#[test]
fn every_file_that_cannot_be_used_is_named_in_one_pass() {
    let folder =
        Folder::new().with("good.csv", format!("{HEADER}2024-01-02,buy,ALFA,10,50,-500,0\n")).with("empty.csv", "");
    std::fs::create_dir(folder.path("folder")).unwrap();
    let ran = folder.run(&["import", "--dry-run", "good.csv", "empty.csv", "folder", "nowhere.csv"]);
    insta::assert_snapshot!(ran.all());
    let json = folder.run(&["import", "--dry-run", "good.csv", "empty.csv", "folder", "nowhere.csv", "--json"]);
    assert_eq!(json.code, 3);
    let json = json.json();
    assert_eq!(json["data"]["files"].as_array().map(Vec::len), Some(1));
    let codes: Vec<&str> = json["errors"].as_array().unwrap().iter().filter_map(|e| e["code"].as_str()).collect();
    assert_eq!(codes, ["empty-file", "is-a-folder", "no-such-file"]);
}
