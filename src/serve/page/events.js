// Server-sent events out of a stream of text, as the HTML standard describes their form. EventSource cannot send a token,
// so this does what it would.

// A parser that is fed with pieces of text, cut anywhere, and hands out whole events.
export function parser(onEvent) {
  let rest = "";
  let event = { type: "message", data: [] };
  let id = null;

  function line(text) {
    if (text === "") {
      if (event.data.length > 0) onEvent({ type: event.type, data: event.data.join("\n"), id });
      event = { type: "message", data: [] };
      return;
    }
    const colon = text.indexOf(":");
    const field = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? "" : text.slice(colon + (text[colon + 1] === " " ? 2 : 1));
    if (field === "data") event.data.push(value);
    else if (field === "event") event.type = value;
    else if (field === "id" && !value.includes("\0")) id = value;
  }

  return (text) => {
    rest += text;
    // A carriage return at the very end may be half of a line's end.
    const end = rest.endsWith("\r") ? rest.length - 1 : rest.length;
    const lines = rest.slice(0, end).split(/\r\n|\n|\r/);
    rest = lines.pop() + rest.slice(end);
    lines.forEach(line);
  };
}

// Reads a body to its end; `onPart` hears of every piece, a comment as well as an event.
export async function readEvents(body, onPart, onEvent) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  const feed = parser(onEvent);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    onPart();
    feed(value);
  }
}
