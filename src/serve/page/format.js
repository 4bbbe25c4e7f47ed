// How numbers, times and terms are written.

const WHOLE = new Intl.NumberFormat("en");
const SHORT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const SECONDS = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const MINUTES = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const DAYS = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const DATES = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const OFFSET = new Intl.DateTimeFormat("en-GB", { timeZoneName: "shortOffset" });

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

// The sign before the terms of a kind.
const SIGNS = { hashtags: "#", mentions: "@", cashtags: "$" };

export const sign = (of) => SIGNS[of] ?? "";
export const whole = (number) => WHOLE.format(number);
export const short = (number) => (number < 10_000 ? whole(number) : SHORT.format(number));

// A moment to the second; with its day where that is not today, and with its year where that is another.
export function moment(ms, now = Date.now()) {
  const time = SECONDS.format(ms);
  if (DATES.format(ms) === DATES.format(now)) return time;
  const year = new Date(ms).getFullYear() === new Date(now).getFullYear();
  return (year ? DAYS : DATES).format(ms) + ", " + time;
}

// The zone in which all of these times are, and how far it is from UTC now.
export function zone(now = Date.now()) {
  const offset = OFFSET.formatToParts(now).find(({ type }) => type === "timeZoneName").value;
  return { name: OFFSET.resolvedOptions().timeZone, offset: offset.replace("GMT", "UTC") };
}

// A moment as the label of an axis whose steps are this long.
export function label(ms, step) {
  if (step >= DAY) return DAYS.format(ms);
  return (step >= MINUTE ? MINUTES : SECONDS).format(ms);
}

// How long something is, in its largest unit or two.
export function span(ms) {
  const units = [[DAY, "d"], [HOUR, "h"], [MINUTE, "min"], [SECOND, "s"]];
  const at = units.findIndex(([unit]) => ms >= unit);
  if (at < 0) return Math.max(0, Math.round(ms)) + " ms";
  const [unit, name] = units[at];
  const large = Math.floor(ms / unit);
  const text = large + " " + name;
  if (at + 1 === units.length) return text;
  const [smaller, smallName] = units[at + 1];
  const rest = Math.floor((ms - large * unit) / smaller);
  return rest > 0 ? text + " " + rest + " " + smallName : text;
}

// How old something is, short enough not to dance.
export function age(ms) {
  return ms < 1500 ? "now" : span(ms) + " ago";
}
