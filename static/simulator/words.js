// The words of the page in the reader's language, and how moments, sizes and durations are written.
let texts = {};

export function useWords(given) {
  texts = given;
}

export function word(name, ...values) {
  return values.reduce((text, value) => text.replace("%s", value), texts[name] ?? name);
}

export const outcome = (name) => texts.outcomes[name] ?? name;
export const mode = (name) => texts.modes[name] ?? "";
export const kind = (name) => texts.kinds[name] ?? name;

export function reason(note) {
  const [code, ...detail] = note.split(":");
  return [texts.reasons[code] ?? code, ...detail].join(word("colon"));
}

export function clock(milliseconds, { seconds = false } = {}) {
  const options = { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: "Asia/Shanghai" };
  return new Date(milliseconds).toLocaleTimeString("zh-CN", seconds ? { ...options, second: "2-digit" } : options);
}

// As a chat shows it: the time today, the day with it before.
export function moment(milliseconds) {
  const day = (time) => new Date(time).toLocaleDateString("zh-CN", { timeZone: "Asia/Shanghai" });
  const now = Date.now();
  if (day(milliseconds) === day(now)) return clock(milliseconds);
  if (day(milliseconds) === day(now - 86_400_000)) return `${word("yesterday")} ${clock(milliseconds)}`;
  return `${day(milliseconds)} ${clock(milliseconds)}`;
}

export function exactMoment(milliseconds) {
  return new Date(milliseconds).toLocaleString("zh-CN", { timeZone: "Asia/Shanghai", hour12: false });
}

export function duration(milliseconds) {
  if (milliseconds === null) return "…";
  return milliseconds < 1000 ? word("ms", milliseconds) : word("seconds", (milliseconds / 1000).toFixed(2));
}

export function size(bytes) {
  return bytes < 1000 ? `${bytes} B` : `${(bytes / 1024).toFixed(1)} KB`;
}

export function remaining(milliseconds) {
  const total = Math.max(0, Math.floor(milliseconds / 1000));
  const hours = Math.floor(total / 3600);
  const minutes = Math.floor((total % 3600) / 60);
  if (hours) return word("hours_minutes", hours, minutes);
  return minutes ? word("minutes_seconds", minutes, total % 60) : word("seconds", total);
}
