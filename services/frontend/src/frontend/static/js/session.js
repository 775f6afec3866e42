// The visitor's session: made when it is first needed, kept for the tab, made anew when the gateway no longer takes it.
import { openSession } from "./api.js";

const STORED = "inkmesh.session";

export class Session {
  #current = JSON.parse(sessionStorage.getItem(STORED) ?? "null");
  #opening = null;
  #onExpired;

  /** `onExpired` hears of a session that was replaced. */
  constructor(onExpired) {
    this.#onExpired = onExpired;
  }

  /** Whether a call was ever needed in this tab. */
  get begun() {
    return this.#current !== null;
  }

  /** Runs `call(token)`; when the session is lost, once more with a new one. */
  async run(call) {
    const token = await this.#token();
    try {
      return await call(token);
    } catch (problem) {
      if (!problem.sessionLost) throw problem;
      this.#forget(token);
      const renewed = await this.#token();
      this.#onExpired();
      return call(renewed);
    }
  }

  async #token() {
    if (this.#current) return this.#current.token;
    this.#opening ??= openSession().finally(() => {
      this.#opening = null;
    });
    this.#current = await this.#opening;
    sessionStorage.setItem(STORED, JSON.stringify(this.#current));
    return this.#current.token;
  }

  #forget(token) {
    if (this.#current?.token === token) this.#current = null;
  }
}
