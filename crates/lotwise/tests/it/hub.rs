//! Networks from a model hub, without a network: a server on this machine.

const CONFIG: &str = "[temporal]\nkind = \"kernelsynth\"\nweights = \"hub:lotwise/branch@v1\"\n";
const TRAIN: [&str; 8] = ["train", "encoder", "--data", "prices.csv", "-c", "hub.toml", "--out", "run"];

#[cfg(not(feature = "hub"))]
#[test]
fn a_build_without_a_hub_says_so() {
    let ran = crate::program::Folder::new().with("hub.toml", CONFIG).run(&TRAIN);
    assert_eq!(ran.code, 2, "{}", ran.all());
    assert!(ran.stderr.contains("hub:lotwise/branch@v1") && ran.stderr.contains("--features hub"), "{}", ran.all());
}

#[cfg(feature = "hub")]
mod with_hub {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::{CONFIG, TRAIN};
    use crate::program::Folder;

    const FILES: [(&str, &[u8]); 2] = [
        ("config.json", include_bytes!("../../../../models/kernelsynth/config.json")),
        ("model.safetensors", include_bytes!("../../../../models/kernelsynth/model.safetensors")),
    ];

    /// Answers so many requests; `cut` bytes are missing from the end of each body.
    fn server(requests: usize, cut: usize, status: &'static str) -> (String, std::thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let answering = std::thread::spawn(move || {
            let mut asked = Vec::new();
            for _ in 0..requests {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0; 4096];
                let read = stream.read(&mut request).unwrap();
                let line = String::from_utf8_lossy(&request[..read]).lines().next().unwrap_or_default().to_owned();
                let (_, body) = FILES.iter().find(|(name, _)| line.contains(name)).unwrap();
                let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
                // Whoever hangs up in the middle is none of this server's business.
                let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body[..body.len() - cut]));
                asked.push(line);
            }
            asked
        });
        (address, answering)
    }

    fn folder(address: &str) -> Folder {
        Folder::new().with("hub.toml", CONFIG).set("LOTWISE_HUB_URL", address)
    }

    #[test]
    fn a_network_is_fetched_once_and_kept_whole() {
        let (address, answering) = server(2, 0, "200 OK");
        let folder = folder(&address);
        // There are no prices, which is found out after the network was fetched.
        let ran = folder.run(&TRAIN);
        assert_eq!(ran.code, 6, "{}", ran.all());
        let asked = answering.join().unwrap();
        assert_eq!(asked[0], "GET /lotwise/branch/resolve/v1/config.json HTTP/1.1");
        assert_eq!(asked[1], "GET /lotwise/branch/resolve/v1/model.safetensors HTTP/1.1");
        let place = folder.path(".cache/lotwise/hub/lotwise/branch");
        for (name, bytes) in FILES {
            assert!(std::fs::read(place.join("v1").join(name)).unwrap() == bytes, "{name}");
        }
        assert_eq!(std::fs::read_dir(&place).unwrap().count(), 1, "nothing partial is left");
        // Nobody answers any more, and nobody is asked, also by a dry run.
        for more in [&[][..], &["--dry-run"]] {
            let again = folder.run(&[&TRAIN[..], more].concat());
            assert!(again.code == 6 && !again.stderr.contains("hub"), "{}", again.all());
        }
    }

    #[test]
    fn a_dry_run_fetches_nothing() {
        let folder = folder("http://127.0.0.1:9");
        let ran = folder.run(&[&TRAIN[..], &["--dry-run"]].concat());
        assert!(ran.code == 6 && ran.stderr.contains("a dry run fetches nothing"), "{}", ran.all());
        assert!(!folder.path(".cache/lotwise/hub").exists());
    }

    #[test]
    fn what_a_killed_program_left_is_cleared_away() {
        let (address, answering) = server(2, 0, "200 OK");
        let folder = folder(&address);
        std::fs::create_dir_all(folder.path(".cache/lotwise/hub/lotwise/branch/.partial-abc")).unwrap();
        assert_eq!(folder.run(&TRAIN).code, 6);
        answering.join().unwrap();
        let left = std::fs::read_dir(folder.path(".cache/lotwise/hub/lotwise/branch")).unwrap();
        assert_eq!(left.map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>(), ["v1"]);
    }

    #[test]
    fn a_run_writes_down_the_name_and_no_folder_of_this_machine() {
        let (address, answering) = server(2, 0, "200 OK");
        let config = crate::train::CONFIG
            .replace("kind = \"none\"", "kind = \"kernelsynth\"\nweights = \"hub:lotwise/branch@v1\"");
        let folder = crate::train::folder().with("hub.toml", config).set("LOTWISE_HUB_URL", &address);
        let train = ["train", "encoder", "--data", "prices.parquet", "--trials", "trials.ndjson"];
        let ran = folder.run(&[&train[..], &["-c", "hub.toml", "--out", "run"]].concat());
        assert_eq!(ran.code, 0, "{}", ran.all());
        answering.join().unwrap();
        let cache = folder.path(".cache").display().to_string();
        let holds = |path: &std::path::Path, text: &str| {
            std::fs::read(path).unwrap().windows(text.len()).any(|found| found == text.as_bytes())
        };
        let written = std::fs::read_dir(folder.path("run")).unwrap().map(|entry| entry.unwrap().path());
        for path in written.filter(|path| path.is_file()).chain([folder.path("trials.ndjson")]) {
            assert!(!holds(&path, &cache), "{}", path.display());
        }
        for file in ["run/config.json", "run/encoder.safetensors"] {
            assert!(holds(&folder.path(file), "hub:lotwise/branch@v1"), "{file}");
        }
        // Whoever goes on with the run or reads its weights finds the network by its name.
        let resumed = folder.run(&[&train[..], &["--resume", "run"]].concat());
        assert_eq!(resumed.code, 0, "{}", resumed.all());
        let evidence = ["model", "evidence", "run/encoder.safetensors", "--data", "prices.parquet"];
        let measured = folder.run(&evidence);
        assert_eq!(measured.code, 0, "{}", measured.all());
    }

    #[test]
    fn what_comes_only_in_part_or_not_at_all_leaves_nothing() {
        let (cut, answering) = server(2, 100, "200 OK");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let offline = format!("http://127.0.0.1:{port}");
        let (unknown, refusing) = server(1, 0, "404 Not Found");
        for (address, told) in [(cut, "config.json: "), (offline, "put config.json"), (unknown, "does not know it")] {
            let folder = folder(&address);
            let ran = folder.run(&TRAIN);
            assert!(ran.code == 6 && ran.stderr.contains(told), "{}", ran.all());
            let left = std::fs::read_dir(folder.path(".cache/lotwise/hub/lotwise/branch"));
            assert_eq!(left.unwrap().count(), 0, "{}", ran.all());
        }
        drop((answering, refusing));
    }
}
