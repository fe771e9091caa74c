// The memory of the agents: the last few notes of each. The collector counts each operation.

import { agents } from './metrics.mjs';

const REMEMBERED_MAX = 3;

export class Memory {
  #notes = new Map();

  /**
   * @param reachable false to simulate a store that is down. @returns the notes; an empty list if the store is down.
   */
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
