// The answers of this tab, newest first, kept over a reload.

const STORED = "inkmesh.answers";
const MOST = 120;

export class Answers {
  #list = JSON.parse(sessionStorage.getItem(STORED) ?? "[]");

  get list() {
    return this.#list;
  }

  /** Adds the API's answer with what was drawn; `truth` is null until the visitor says what it was. */
  add(answer, strokes) {
    const rounded = strokes.map((stroke) => stroke.map(([x, y]) => [Math.round(x), Math.round(y)]));
    const kept = { ...answer, strokes: rounded, truth: null };
    this.#list = [kept, ...this.#list].slice(0, MOST);
    this.#save();
    return kept;
  }

  /** Notes what an answer really was. */
  correct(answer, label) {
    answer.truth = label;
    this.#save();
  }

  /** [version, answers, corrected as wrong], by version's name. */
  byVersion() {
    const counts = new Map();
    for (const { model, truth, label } of this.#list) {
      const count = counts.get(model.version) ?? { answers: 0, wrong: 0 };
      count.answers += 1;
      if (truth !== null && truth !== label) count.wrong += 1;
      counts.set(model.version, count);
    }
    return [...counts].sort(([a], [b]) => a.localeCompare(b)).map(([version, { answers, wrong }]) => [version, answers, wrong]);
  }

  #save() {
    try {
      sessionStorage.setItem(STORED, JSON.stringify(this.#list));
    } catch {
      // Full, or forbidden: then they last as long as the page.
    }
  }
}
