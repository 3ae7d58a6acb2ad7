// Requests to our own server.
import { word } from "./words.js";

// The server said no, in words for the person.
export class Refused extends Error {}

const base = new URL("./", window.location.href);

// Read anew for each request: a login in another tab gives this browser another token.
function token() {
  const cookie = document.cookie.split("; ").find((one) => one.startsWith("csrftoken="));
  return cookie ? cookie.slice("csrftoken=".length) : document.querySelector("[name=csrfmiddlewaretoken]").value;
}

export function get(path) {
  return ask(path, { headers: { Accept: "application/json" } });
}

export function post(path, given) {
  return ask(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": token() },
    body: JSON.stringify(given),
  });
}

async function ask(path, options) {
  const answer = await fetch(new URL(path, base), { credentials: "same-origin", ...options });
  const json = (answer.headers.get("Content-Type") ?? "").includes("json") ? await answer.json() : null;
  if (answer.ok && json) return json;
  throw new Refused(json?.error ?? word(answer.status === 403 ? "logged_out" : "not_reached"));
}
