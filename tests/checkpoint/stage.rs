//! A broker, a directory, and one run of the program after another.
//!
//! Invariant: every answer of every run is compared with a recount of its own records; within a run nothing goes back, and
//! from one run to the next neither epoch nor generation does.

use std::process::Output;
use std::time::{Duration, Instant};

use serde_json::Value;
use tidings::config::Config;

use crate::oracle::Oracle;
use crate::oracle::answers::{Answered, Asked, Offsets, Question};
use crate::oracle::history::History;
use crate::place::Place;
use crate::support::asker::Asker;
use crate::support::broker::{Embedded, Producer, read_back, wall_ms};
use crate::support::hostile::Hostile;
use crate::support::process::{Server, Settings, program, said};
use crate::support::random::Random;

pub const PARTITIONS: i32 = 3;

/// Windows of several tiers, so that panes move and leave while a test lasts; spellings, filters.
const COUNTS: &str = "[[count]]\nname = \"tags\"\nof = \"hashtags\"\nwindows = [\"2s/500ms\", \"6s/2s\", \"1m\", \"all\"]\n\
     [[count]]\nname = \"words\"\nof = \"words\"\nwindows = [\"1s/200ms\", \"3s/1s\"]\nmin_length = 2\n";

pub struct Stage {
    pub broker: Embedded,
    pub place: Place,
    pub counts: String,
    /// `wall` or `event`.
    pub clock: &'static str,
    /// What runs find in their environment, beside what the place needs.
    pub variables: Vec<(String, String)>,
    /// More settings, in sections of their own.
    pub more: String,
    pub interval: &'static str,
    producer: Producer,
    hostile: Hostile,
    random: Random,
    runs: Vec<(Config, Vec<Answered>)>,
}

impl Stage {
    pub fn new(seed: u64) -> Stage {
        Stage::at(Place::new(), seed)
    }

    /// The same at a place that has been made.
    pub fn at(place: Place, seed: u64) -> Stage {
        println!("seed {seed}");
        let broker = Embedded::start(&[("posts", PARTITIONS)]);
        let producer = Producer::new(&broker.brokers(), "zstd");
        Stage {
            broker,
            place,
            counts: COUNTS.to_owned(),
            clock: "wall",
            variables: Vec::new(),
            more: String::new(),
            interval: "300ms",
            producer,
            hostile: Hostile::new(seed),
            random: Random::new(seed),
            runs: Vec::new(),
        }
    }

    /// The settings of a run.
    pub fn settings(&self, workers: usize) -> String {
        format!(
            "[kafka]\nbrokers = \"{}\"\nstart = \"earliest\"\n[engine]\nworkers = {workers}\nepoch = \"40ms\"\n\
             clock = \"{}\"\n[checkpoint]\ndir = \"{}\"\ninterval = \"{}\"\n{}{}",
            self.broker.brokers(),
            self.clock,
            self.place.address(),
            self.interval,
            self.more,
            self.counts
        )
    }

    /// The same in a folder, with the environment in which it is read.
    pub fn made(&self, settings: &str) -> Settings {
        Settings::new(settings).with(&self.place.environment()).with(&self.variables)
    }

    pub fn start(&self, workers: usize) -> Server {
        self.start_with(&self.settings(workers), &[])
    }

    /// A run with these settings and flags.
    pub fn start_with(&self, settings: &str, flags: &[&str]) -> Server {
        let settings = self.made(settings);
        let file = settings.file();
        let run = ["run", "-c", file.to_str().unwrap(), "--bind", "127.0.0.1:0"];
        Server::start(settings, &[&run[..], flags].concat())
    }

    /// Writes some posts, some of them late or broken; returns the offsets behind all.
    pub fn produce(&mut self, posts: usize) -> Offsets {
        for _ in 0..posts {
            let partition = self.random.below(PARTITIONS as u64) as i32;
            self.producer.send("posts", partition, &self.hostile.next(wall_ms()));
        }
        self.producer.flush()
    }

    /// Begins to ask a run.
    pub fn asker<'a>(server: &Server, config: &'a Config, seed: u64) -> Asker<'a> {
        let asker = Asker::new(server.client(), config, seed);
        asker.ready();
        asker
    }

    /// Produces and asks for a while; everything is asked at the end.
    pub fn work(&mut self, server: &Server, rounds: usize) {
        let config = server.config();
        let mut asker = Stage::asker(server, &config, self.random.below(1 << 40));
        // What is there before anything is new.
        let mut answers = asker.ask_everything(&Offsets::new());
        for _ in 0..rounds {
            let posts = 1 + self.random.below(80) as usize;
            let written = self.produce(posts);
            answers.push(asker.ask(&written));
            answers.extend((0..4).map(|_| asker.ask(&Offsets::new())));
            std::thread::sleep(Duration::from_millis(self.random.below(60)));
        }
        let written = self.produce(10);
        answers.extend(asker.ask_everything(&written));
        self.runs.push((config, answers));
    }

    /// The same, with the run that has been asked last.
    pub fn work_on(&mut self, server: &Server, rounds: usize) {
        self.work(server, rounds);
        let (_, mut answers) = self.runs.pop().unwrap();
        self.runs.last_mut().unwrap().1.append(&mut answers);
    }

    /// One or the other, whichever it is.
    pub fn work_first_or_on(&mut self, server: &Server, rounds: usize) {
        if self.runs.is_empty() { self.work(server, rounds) } else { self.work_on(server, rounds) }
    }

    /// Runs it again and again, each time until it dies at one of these steps when it has passed it so often; each run works on
    /// what the one before has left.
    pub fn die_at_each(&mut self, points: &[(&str, u32)]) {
        for (round, (point, times)) in points.iter().enumerate() {
            let armed = format!("{point}:{times}");
            let settings = self.made(&self.settings(1 + round % 3));
            let mut server = match Server::try_run_with(settings, ("TIDINGS_FAILPOINT", &armed)) {
                Ok(server) => server,
                // Some steps come before anybody can be answered.
                Err(log) => {
                    assert!(log.contains(&format!("dies at {point}")), "{armed}: {log}");
                    continue;
                }
            };
            self.work_until_it_dies(&mut server, Duration::from_secs(60));
            let log = server.log();
            assert!(log.contains(&format!("dies at {point}")), "{armed}: {log}");
            self.produce(15);
        }
    }

    /// Produces and asks until the program dies by itself.
    pub fn work_until_it_dies(&mut self, server: &mut Server, patience: Duration) {
        let config = server.config();
        let (client, deadline) = (server.client(), Instant::now() + patience);
        let mut answers = Vec::new();
        while server.lives() {
            assert!(Instant::now() < deadline, "it lives on");
            self.produce(10);
            for count in &config.counts {
                for window in &count.windows {
                    let question = Question::Top { k: 1000 };
                    let (count, window) = (count.name.clone(), window.name.clone());
                    let asked = Asked { count, window, question, min_offsets: Offsets::new() };
                    answers.extend(client.try_ask(asked, Duration::ZERO));
                }
            }
        }
        if !answers.is_empty() {
            self.runs.push((config, answers));
        }
    }

    /// A run that leaves alone what there is.
    pub fn start_fresh(&self, workers: usize) -> Server {
        self.start_with(&self.settings(workers), &["--start-fresh"])
    }

    /// Waits until a checkpoint has come about that contains these offsets.
    pub fn kept(&self, server: &Server, written: &Offsets) -> Value {
        let deadline = Instant::now() + Duration::from_secs(150);
        let bound = |status: &Value| {
            let epoch = status["checkpoint"]["last"]["epoch"].as_u64()?;
            Some((epoch, status["stamp"]["epoch"].as_u64()?))
        };
        let status = || server.client().get("/v1/status").json::<Value>();
        let reached = loop {
            let status = status();
            assert!(Instant::now() < deadline, "not read in time: {status}");
            let read = |(topic, partition, next): (&String, &i32, &i64)| {
                let at = status["stamp"]["offsets"][topic][partition.to_string()].as_i64();
                at.is_some_and(|at| at >= *next)
            };
            let all =
                written.iter().flat_map(|(topic, all)| all.iter().map(move |(p, next)| (topic, p, next)));
            if status["stamp"]["epoch"].is_u64() && all.into_iter().all(read) {
                break status["stamp"]["epoch"].as_u64().unwrap();
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        loop {
            let status = status();
            if bound(&status).is_some_and(|(kept, _)| kept >= reached) {
                return status["checkpoint"]["last"].clone();
            }
            assert!(Instant::now() < deadline, "no checkpoint in time: {status}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Recounts every answer of every run.
    pub fn recount(&self) {
        let records = read_back(&self.broker.brokers(), &["posts"]);
        let mut newest = (0, 0);
        let mut answered = 0;
        for (config, answers) in &self.runs {
            let oracle = Oracle::new(config, &records, wall_ms());
            oracle.check_all(answers);
            History::new(answers).check();
            answered += answers.len();
            let of = |answered: &Answered| {
                let stamp = answered.answer.stamp();
                (stamp.generation, stamp.epoch)
            };
            let (first, last) =
                (answers.iter().map(of).min().unwrap(), answers.iter().map(of).max().unwrap());
            assert!(first.0 > newest.0 && first.1 > newest.1, "{first:?} after {newest:?}");
            newest = last;
        }
        println!("{answered} answers of {} runs recounted", self.runs.len());
    }

    /// Where checkpoints are.
    pub fn kept_in(&self) -> std::path::PathBuf {
        self.place.folder()
    }

    /// `tidings checkpoint` on it.
    pub fn look(&self, arguments: &[&str]) -> Output {
        let address = self.place.address();
        let command = [&["checkpoint"], arguments, &[&address[..]]].concat();
        program().args(command).envs(self.place.environment()).output().unwrap()
    }

    /// Runs the program to its end with these settings; it must refuse.
    pub fn refused(&self, settings: &str) -> (i32, String) {
        let settings = self.made(settings);
        let output = program()
            .args(["run", "-c", settings.file().to_str().unwrap(), "--bind", "127.0.0.1:0"])
            .envs(self.place.environment())
            .envs(self.variables.clone())
            .output()
            .unwrap();
        (output.status.code().unwrap(), said(&output))
    }
}
