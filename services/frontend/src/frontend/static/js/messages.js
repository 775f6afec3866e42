// What went wrong, in the visitor's words, and what can be done about it.
import { element } from "./element.js";

const AGAIN = "Try again";
const KEPT = "Your drawing is kept.";

/** Problem → { tone, title, text, action }; `action` is "topup", "again" or nothing. */
export function explained(problem) {
  const words = WORDS[problem.slug];
  if (words) return words(problem);
  if (problem.status >= 500) return WORDS["mesh-refused"](problem);
  return { tone: "error", title: "That was refused.", text: problem.detail || problem.message };
}

const WORDS = {
  "insufficient-credits": () => ({
    tone: "warn",
    title: "You have no credits left.",
    text: `Each reading costs one. ${KEPT}`,
    action: "topup",
  }),
  "payment-unavailable": () => ({
    tone: "error",
    title: "Payments are down.",
    text: `No credit can be held or settled now. Trying again repeats the same request: it is charged once at most. ${KEPT}`,
    action: "again",
  }),
  "inference-unavailable": () => ({
    tone: "error",
    title: "The model is down.",
    text: `The credit held for this reading was given back. ${KEPT}`,
    action: "again",
  }),
  "deadline-exceeded": () => ({
    tone: "warn",
    title: "That took too long.",
    text: `Nobody knows yet whether it was read. Trying again repeats the same request, so it is never charged twice. ${KEPT}`,
    action: "again",
  }),
  "in-flight": () => ({
    tone: "warn",
    title: "Still being worked on.",
    text: "The first try of this request has not ended. Trying again asks for its answer; it is charged once.",
    action: "again",
  }),
  "charge-taken-over": () => WORDS["in-flight"](),
  "ledger-unavailable": () => ({
    tone: "error",
    title: "The ledger cannot be written now.",
    text: `Trying again repeats the same request, so it is never charged twice. ${KEPT}`,
    action: "again",
  }),
  "no-answer": () => ({
    tone: "error",
    title: "No answer came.",
    text: `The connection broke, or the server is away. Trying again is never charged twice. ${KEPT}`,
    action: "again",
  }),
  "mesh-overloaded": () => ({
    tone: "error",
    title: "The mesh refused: too much is waiting.",
    text: `A connection pool is full, so the request was turned away at once. ${KEPT}`,
    action: "again",
  }),
  "mesh-refused": ({ status }) => ({
    tone: "error",
    title: `The mesh answered ${status}.`,
    text: `It did not come from a service, so what happened is not known. Trying again is never charged twice. ${KEPT}`,
    action: "again",
  }),
  "rate-limited": ({ retryAfter }) => ({
    tone: "warn",
    title: "Too many requests.",
    text: `Wait ${retryAfter > 1 ? `${retryAfter} seconds` : "a moment"}, then try again. Nothing was charged. ${KEPT}`,
    action: "again",
  }),
  "unknown-card": () => ({
    tone: "error",
    title: "That is not a test card.",
    text: "Only the numbers listed here are taken. No credits were added.",
  }),
  "feedback-differs": () => ({
    tone: "warn",
    title: "You said otherwise before.",
    text: "The first correction of an answer counts.",
  }),
  "not-found": () => ({
    tone: "warn",
    title: "This answer belongs to an earlier session.",
    text: "It can no longer be corrected.",
  }),
  "session-renewed": () => ({
    tone: "warn",
    title: "Your session had expired.",
    text: "A new one has begun, with new credits.",
  }),
};

/** Fills `box` with an explanation and its buttons; `actions` maps "topup" and "again" to what they do. */
export function show(box, { tone, title, text, action }, { requestId = "", actions = {} } = {}) {
  const act = action && actions[action];
  const label = action === "topup" ? "Top up" : AGAIN;
  box.className = `message ${tone}`;
  box.replaceChildren(
    element("strong", {}, title),
    text,
    requestId ? element("p", { class: "fine" }, `Request ${requestId}`) : "",
    act ? element("div", { class: "actions" }, element("button", { type: "button", onclick: act }, label)) : "",
  );
  box.hidden = false;
}

/** Empties `box`. */
export function hide(box) {
  box.hidden = true;
  box.replaceChildren();
}
