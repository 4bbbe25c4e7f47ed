//! Real posts: some ten thousand of one evening, sent by `tidings produce` and read from their file by `tidings count`.

use std::fs;
use std::process::Stdio;

use crate::oracle::answers::Offsets;
use crate::support::counting::{Printed, expected, lines, mayweather};
use crate::support::process::{Server, Settings, program};
use crate::support::session::{ask_during, recount};
use crate::{create, done, kafka, offsets};

const FIGHT: &str = "[posts]\ntime = \"post\"\n[engine]\nclock = \"event\"\nworkers = 2\nepoch = \"50ms\"\n\
    [[count]]\nname = \"hashtags\"\nof = \"hashtags\"\nwindows = [\"1m\", \"5m\", \"1h\", \"all\"]\n\
    [[count]]\nname = \"words\"\nof = \"words\"\nwindows = [\"1m\", \"5m\", \"1h\", \"all\"]\n";

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn a_replay_of_real_posts_is_exact_at_many_moments() {
    let (kafka, folder) = (kafka(), tempfile::TempDir::new().unwrap());
    let file = mayweather(folder.path());
    create(&kafka, "fight", 3);
    let text = format!(
        "[kafka]\nbrokers = \"{}\"\ntopics = [\"fight\"]\nstart = \"earliest\"\n{FIGHT}",
        kafka.brokers()
    );
    let mut server = Server::run(&text).ready();
    let config = server.config();
    let mut moments = 0;
    let answers = ask_during(&server, &config, 31, |own, answers| {
        let arguments =
            ["produce", "file", file.to_str().unwrap(), "--brokers", kafka.brokers(), "--topic", "fight"];
        let child = program()
            .args(arguments)
            .args(["--speed", "400x"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut child = child.unwrap();
        while child.try_wait().unwrap().is_none() {
            // Every word and every hashtag of every window.
            answers.extend(own.ask_everything(&Offsets::new()));
            moments += 1;
        }
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        let printed = String::from_utf8(output.stdout).unwrap();
        println!("{printed}");
        offsets(printed.split_whitespace().last().unwrap())
    });
    assert!(server.terminate().0.success());
    assert!(moments >= 2, "only {moments} moments");
    let (_, records) = recount(kafka.brokers(), &["fight"], &config, &answers);
    assert_eq!(records.len(), fs::read_to_string(&file).unwrap().lines().count());
}

#[test]
#[ignore = "needs Java and Maven; .ci/run runs it"]
fn counting_a_file_of_real_posts_is_exact_with_any_number_of_workers() {
    let settings = Settings::new(FIGHT);
    let file = mayweather(settings.folder());
    let records = lines(&[&file]);
    let expected = expected(&settings.config(), &records, usize::MAX);
    for workers in ["1", "2", "4"] {
        let of = settings.file();
        let arguments = [
            "count",
            "-c",
            of.to_str().unwrap(),
            file.to_str().unwrap(),
            "--json",
            "--top",
            "0",
            "-w",
            workers,
        ];
        let printed: Printed = serde_json::from_str(&done(&arguments)).unwrap();
        assert_eq!((printed.posts as usize, printed.bad), (records.len(), 0));
        assert_eq!(printed.counts, expected, "{workers} workers");
    }
}
