// Every request of the page passes here. Where the server wants a token, the page asks for it once, whoever needs it, and
// keeps it for this tab. Nothing waits for ever.

import { find } from "./dom.js";

const KEY = "tidings.token";
const PATIENCE = 10_000;

// A browser that lets pages keep nothing throws: then the token is asked for whenever the page is loaded.
function kept() {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function keep(token) {
  try {
    sessionStorage.setItem(KEY, token);
  } catch {
    // It is known until the page is left.
  }
}

let token = kept();
let asking = null;

// A link sends no token: those that would lead to a refusal go.
function hideClosed() {
  for (const link of document.querySelectorAll("a[data-closed]")) link.hidden = true;
}
if (token !== null) hideClosed();

// Shows the question; the answer is awaited by all requests that were refused meanwhile.
function askToken(refused) {
  asking ??= new Promise((answered) => {
    const dialog = find("access");
    const input = find("token");
    if (refused) find("access-why").textContent = "The server refused that token. It is kept no longer than this tab is open.";
    input.value = "";
    dialog.querySelector("form").onsubmit = (event) => {
      event.preventDefault();
      token = input.value.trim();
      input.value = "";
      keep(token);
      asking = null;
      dialog.close();
      answered();
    };
    // Without a token there is nothing to go back to.
    dialog.oncancel = (event) => event.preventDefault();
    dialog.onclose = () => asking && dialog.showModal();
    dialog.showModal();
  });
  return asking;
}

// What the server says is wrong, or the like.
export class Refused extends Error {
  constructor(status, problem) {
    super(problem?.detail ?? problem?.title ?? "the server answers " + status);
    this.status = status;
    this.reasons = problem?.reasons ?? [];
  }
}

async function refusal(response) {
  const problem = await response.json().catch(() => null);
  return new Refused(response.status, problem);
}

async function attempt(path, init, take) {
  // What no header can carry is no token, whatever was pasted.
  if (token && !/^[\x21-\x7e]+$/.test(token)) return undefined;
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new Error("no answer within 10 s")), PATIENCE);
  const signal = init.signal ? AbortSignal.any([init.signal, late.signal]) : late.signal;
  const headers = new Headers(init.headers);
  if (token) headers.set("authorization", "Bearer " + token);
  try {
    const response = await fetch(path, { ...init, headers, signal, cache: "no-store" });
    if (response.status === 401) {
      hideClosed();
      return undefined;
    }
    if (!response.ok) throw await refusal(response);
    return await take(response);
  } finally {
    clearTimeout(timer);
  }
}

// Asks until there is a token that the server takes; `take` makes of the response what is wanted, in the time limit.
async function access(path, init, take) {
  for (;;) {
    const used = token;
    const taken = await attempt(path, init, take);
    if (taken !== undefined) return taken;
    if (used === token) await askToken(Boolean(used));
  }
}

// An answer in JSON.
export function ask(path, signal) {
  return access(path, { signal }, (response) => response.json());
}

// A response whose body goes on.
export function open(path, headers, signal) {
  return access(path, { headers, signal }, (response) => response);
}
