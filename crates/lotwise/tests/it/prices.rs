//! `prices fetch` and `prices status`, without a network.

use std::io::{Read, Write};
use std::net::TcpListener;

use crate::program::Folder;

const PRICES: &str = "\
date,ticker,open,high,low,close,adj_close,volume
2024-06-27,ALFA,10,11,9,10.5,10.5,1000
2024-06-28,ALFA,10.5,11,10,10.75,10.75,1200
";

#[test]
fn prices_of_a_folder_are_cached_and_their_age_is_told() {
    let folder = Folder::new().with("prices.csv", PRICES);
    let ran = folder.run(&["prices", "fetch", "alfa", "--source", "prices.csv", "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.all());
    let json = ran.json();
    let line = &json["data"]["prices"][0];
    assert_eq!((&line["symbol"], &line["bars"], &line["close"]), (&"ALFA".into(), &2.into(), &"10.75".into()));
    assert_eq!((&line["origin"], &line["quoted_at"]), (&"provider".into(), &"2024-06-28T20:00:00Z".into()));
    let cached = folder.run(&["prices", "fetch", "ALFA", "--offline", "--json"]);
    assert_eq!((cached.code, &cached.json()["data"]["prices"][0]["origin"]), (0, &"cache".into()), "{}", cached.all());
    let status = folder.run(&["prices", "status"]);
    assert!(status.code == 0 && status.stdout.contains("ALFA") && status.stdout.contains("28 Jun 2024"));
    assert!(folder.path(".cache/lotwise/prices").is_dir());
}

#[test]
fn what_cannot_be_had_is_named_with_the_way_out() {
    let folder = Folder::new().with("prices.csv", PRICES);
    let ran = folder.run(&["prices", "fetch", "ALFA", "BETA", "--source", "prices.csv"]);
    assert!(ran.code == 6 && ran.stdout.contains("ALFA") && ran.stderr.contains("BETA"), "{}", ran.all());
    let ran = Folder::new().run(&["prices", "fetch", "ALFA", "--offline"]);
    assert!(ran.code == 6 && ran.stderr.contains("--prices PATH"), "{}", ran.all());
    let empty = Folder::new().run(&["prices", "status"]);
    assert!(empty.code == 0 && empty.stdout.contains("No prices are cached yet"), "{}", empty.all());
}

#[test]
fn a_network_that_is_not_there_is_one_sentence() {
    // A port that was free a moment ago and that nobody listens on.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let folder = Folder::new().set("LOTWISE_YAHOO_URL", &format!("http://127.0.0.1:{port}"));
    let ran = folder.run(&["prices", "fetch", "ALFA"]);
    assert_eq!(ran.code, 6, "{}", ran.all());
    assert!(ran.stderr.contains("--offline") && ran.stderr.lines().count() == 1, "{}", ran.all());
}

#[test]
fn a_provider_that_does_not_know_the_symbol_is_quoted() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 2048];
        let read = stream.read(&mut request).unwrap();
        let body = r#"{"chart":{"result":null,"error":{"code":"Not Found","description":"No data found, symbol may be delisted"}}}"#;
        let length = body.len();
        write!(stream, "HTTP/1.1 404 Not Found\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
            .unwrap();
        String::from_utf8_lossy(&request[..read]).into_owned()
    });
    let folder = Folder::new().set("LOTWISE_YAHOO_URL", &format!("http://127.0.0.1:{port}"));
    let ran = folder.run(&["prices", "fetch", "NOPE", "--json"]);
    assert_eq!(ran.code, 6, "{}", ran.all());
    assert!(ran.json()["error"]["message"].as_str().unwrap().contains("NOPE"), "{}", ran.all());
    assert!(server.join().unwrap().contains("NOPE"));
}

#[test]
fn an_interruption_ends_with_130() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let folder = Folder::new().set("LOTWISE_YAHOO_URL", &format!("http://127.0.0.1:{port}"));
    let mut child =
        folder.command().args(["prices", "fetch", "ALFA"]).stderr(std::process::Stdio::piped()).spawn().unwrap();
    // The program is waiting for an answer that does not come.
    let _waiting = listener.accept().unwrap();
    let sent = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!(told, "interrupted\n");
}
