// What agents remember: the last few things each of them learnt. Operations are counted.

import { agents } from './metrics.mjs';

const REMEMBERED_MAX = 3;

export class Memory {
  #notes = new Map();

  /** @param reachable false for a store that is down. @returns the notes, none where they cannot be had. */
  recall(agent, { reachable = true } = {}) {
    agents.recordMemoryOperation(agent, 'search', reachable ? 'success' : 'error');
    return reachable ? (this.#notes.get(agent) ?? []) : [];
  }

  remember(agent, note) {
    const notes = [...(this.#notes.get(agent) ?? []), note];
    agents.recordMemoryOperation(agent, 'write');
    while (notes.length > REMEMBERED_MAX) {
      notes.shift();
      agents.recordMemoryOperation(agent, 'delete');
    }
    this.#notes.set(agent, notes);
  }
}
