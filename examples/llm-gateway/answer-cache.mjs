// Caches answers for a short time: the same question to the same model is answered without asking again.

import { llm } from './metrics.mjs';

export class AnswerCache {
  #answers = new Map();
  #answersMax;
  #ttlMs;

  constructor({ answersMax = 200, ttlMs = 30_000 } = {}) {
    this.#answersMax = answersMax;
    this.#ttlMs = ttlMs;
  }

  /** @returns the answer, or undefined. */
  find(body) {
    const { answer, until = 0 } = this.#answers.get(keyOf(body)) ?? {};
    const hit = until > performance.now();
    llm.recordCacheLookup('answers', hit ? 'hit' : 'miss');
    return hit ? answer : undefined;
  }

  keep(body, answer) {
    if (this.#answers.size >= this.#answersMax) this.#answers.delete(this.#answers.keys().next().value);
    this.#answers.set(keyOf(body), { answer, until: performance.now() + this.#ttlMs });
  }
}

function keyOf({ metadata: _notPartOfTheQuestion, ...question }) {
  return JSON.stringify(question);
}
