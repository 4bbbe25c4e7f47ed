// The program under test, as a process of its own: the demonstration, or a run with a configuration. Whatever is started
// here ends with its test, by its own process.

import { spawn } from "node:child_process";
import { get } from "node:http";

const PROGRAM = process.env.TIDINGS;
const PATIENCE = 60_000;
const TURN = 50;

// Waits until something holds, and hands it out. What is counted is this program's own turns: a busy machine has time.
export async function until(what, holds) {
  for (let turns = 0; turns < PATIENCE / TURN; turns += 1) {
    const found = await holds();
    if (found) return found;
    await new Promise((resume) => setTimeout(resume, TURN));
  }
  throw new Error("not within " + PATIENCE / 1000 + " s: " + what);
}

// Each question on a connection of its own: one that is kept may be closed by the server while it is asked.
const answer = (url) =>
  new Promise((resolve, reject) => {
    const asked = get(url, { agent: false }, async (response) => {
      const parts = await response.toArray().catch(reject);
      resolve({ status: response.statusCode, text: Buffer.concat(parts ?? []).toString() });
    });
    asked.on("error", reject);
  });

export async function start(...parameters) {
  const child = spawn(PROGRAM, parameters, { stdio: ["ignore", "pipe", "pipe"], env: {} });
  let log = "";
  for (const output of [child.stdout, child.stderr]) output.on("data", (part) => (log += part));
  const ended = new Promise((resume) => child.once("exit", resume));
  const url = await until("an address", () => {
    if (child.exitCode !== null) throw new Error("the program ended:\n" + log);
    return log.match(/answering on (http:\/\/\S+)/)?.[1];
  });
  return {
    url,
    port: new URL(url).port,
    brokers: log.match(/ at (\S+) \(topic posts\)/)?.[1],
    async ask(path) {
      const { status, text } = await answer(url + path);
      if (status !== 200) throw new Error(path + ": " + text);
      return JSON.parse(text);
    },
    async ready() {
      await until("readiness", async () => (await answer(url + "/readyz")).status === 200);
      return this;
    },
    stop() {
      this.sender?.kill();
      child.kill("SIGTERM");
      return ended;
    },
  };
}

// The demonstration, with so many posts a second of its own.
export const demo = async (rate, ...more) =>
  (await start("demo", "--bind", "127.0.0.1:0", "--rate", String(rate), "-w", "1", ...more)).ready();

// Puts posts into the demonstration's broker, each with hashtags of its own, a text and perhaps a time, and waits until they
// are counted. One `tidings produce` sends all of a test, as starting it takes a while.
export async function produce(server, posts) {
  server.sender ??= spawn(PROGRAM, ["produce", "file", "-", "--brokers", server.brokers, "--topic", "posts"], {
    stdio: ["pipe", "ignore", "ignore"],
    env: {},
  });
  const { posts: before } = await server.ask("/v1/status");
  const line = ({ text = "", tags = [], created_at }, at) => {
    const hashtags = tags.map((tag) => ({ text: tag }));
    return JSON.stringify({ id_str: String(at + 1), text, created_at, entities: { hashtags } }) + "\n";
  };
  server.sender.stdin.write(posts.map(line).join(""));
  await until("all posts counted", async () => (await server.ask("/v1/status")).posts >= before + posts.length);
}

// `n` posts with these hashtags.
export const times = (n, ...tags) => Array.from({ length: n }, () => ({ tags, text: "some words here" }));
