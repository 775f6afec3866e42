// One paid request that must not be paid twice.

/** Gives a request its Idempotency-Key: the same one again while nobody knows what became of the same request. */
export class Attempt {
  #request = null;
  #key = null;

  /** Runs `send(key)`; a definitive outcome, good or bad, ends the key. */
  async run(request, send) {
    const text = JSON.stringify(request);
    if (text !== this.#request) this.#begin(text);
    try {
      return await this.#try(send);
    } catch (problem) {
      // The earlier try, whose outcome was not known, did fail, and its credit was given back: ask anew.
      if (!problem.replayed) throw problem;
      this.#begin(text);
      return this.#try(send);
    }
  }

  #begin(request) {
    this.#request = request;
    this.#key = newKey();
  }

  async #try(send) {
    try {
      const answer = await send(this.#key);
      this.#request = null;
      return answer;
    } catch (problem) {
      if (!problem.unknown) this.#request = null;
      throw problem;
    }
  }
}

// crypto.randomUUID is missing where a phone opens the page by plain HTTP from another machine.
function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
