// The gateway's API, and the models' cards: one function a call. A definitive refusal is a Problem; anything that leaves open what happened,
// such as no answer, a 504, or a 5xx that is not the gateway's own, is a Problem whose `unknown` is true.

const PATIENCE_MS = 20_000;

const SLUG_BY_STATUS = { 401: "unauthenticated", 403: "forbidden", 413: "too-large", 429: "rate-limited", 504: "deadline-exceeded" };

// No outcome is stored with the key when the gateway says one of these: the charge may be made, or not.
const UNSETTLED = new Set([
  "charge-taken-over",
  "deadline-exceeded",
  "in-flight",
  "internal",
  "ledger-unavailable",
  "payment-unavailable",
]);

/**
 * Why a call did not do what was asked. `slug` names it. `unknown`: repeat with the same key, or it may be paid twice.
 * `replayed`: it is what became of an earlier try with this key. `sessionLost`: the session is no longer good.
 */
export class Problem extends Error {
  constructor({ status = 0, slug, detail = "", ...more }) {
    super(detail || slug);
    const rest = { unknown: false, replayed: false, sessionLost: false, requestId: "", retryAfter: 0, ...more };
    Object.assign(this, { status, slug, detail, ...rest });
  }
}

export function openSession() {
  return call("POST", "sessions");
}

export function account(token) {
  return call("GET", "account", { token });
}

export function predict(token, pixels, { key, cohort }) {
  return call("POST", "predictions", { token, key, cohort, body: { pixels } });
}

export function feedback(token, id, label) {
  return call("POST", `predictions/${encodeURIComponent(id)}/feedback`, { token, body: { label } });
}

export function topUp(token, order, { key }) {
  return call("POST", "topups", { token, key, body: order });
}

/** Where a person or a program finds the card of a model's version. */
export function cardPath({ name, version }) {
  return `/v2/models/${encodeURIComponent(name)}/versions/${encodeURIComponent(version)}/card`;
}

export function card(model) {
  return call("GET", cardPath(model), { base: "" });
}

async function call(method, path, { base = "/api/v1/", token, key, cohort, body } = {}) {
  const headers = { accept: "application/json, application/problem+json" };
  if (token) headers.authorization = `Bearer ${token}`;
  if (key) headers["idempotency-key"] = key;
  if (cohort && cohort !== "normal") headers["x-cohort"] = cohort;
  if (body) headers["content-type"] = "application/json";
  let response;
  let text;
  try {
    response = await fetch(`${base}${path}`, {
      method,
      headers,
      body: body && JSON.stringify(body),
      cache: "no-store",
      credentials: "same-origin",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    text = await response.text();
  } catch (error) {
    throw new Problem({ slug: error.name === "TimeoutError" ? "deadline-exceeded" : "no-answer", unknown: true });
  }
  const content = parsed(text);
  if (!response.ok) {
    const problem = problemOf(response, content);
    // An account that is not found is gone with its ledger; only below a collection can something else be missing.
    problem.sessionLost = problem.status === 401 || (problem.status === 404 && !path.includes("/"));
    throw problem;
  }
  if (response.status !== 204 && content === undefined) {
    throw new Problem({ status: response.status, slug: "no-answer", unknown: true });
  }
  return content;
}

function problemOf(response, content) {
  const { status, headers } = response;
  const told = (headers.get("content-type") ?? "").startsWith("application/problem+json") && content;
  const replayed = headers.get("idempotent-replayed") === "true";
  const common = {
    status,
    replayed,
    requestId: (told && content.instance) || headers.get("x-request-id") || "",
    retryAfter: Number.parseInt(headers.get("retry-after") ?? "", 10) || 0,
  };
  if (told) {
    const slug = String(content.type ?? "").split("/").at(-1);
    return new Problem({ ...common, slug, detail: String(content.detail ?? ""), unknown: !replayed && UNSETTLED.has(slug) });
  }
  // Not the gateway's words: the mesh in front of it answered.
  const overloaded = headers.get("x-envoy-overloaded") === "true";
  const slug = SLUG_BY_STATUS[status] ?? (overloaded ? "mesh-overloaded" : status >= 500 ? "mesh-refused" : "refused");
  return new Problem({ ...common, slug, unknown: status >= 500 });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
