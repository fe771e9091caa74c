/**
 * Which agent a request is made for: the execution that is going on where the request begins. Set by agents' collectors, read
 * by LLM collectors; neither knows the other.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

/** What an execution is told of the requests made within it. */
export interface Attributed {
  addUsage(inputTokens: number, outputTokens: number, costUsd: number): void;
}

let storage: AsyncLocalStorage<Attributed> | undefined;

/** Runs a function whose requests, across awaits, are for this execution; innermost first where executions nest. */
export function attribute<R>(execution: Attributed, run: () => R): R {
  storage ??= new AsyncLocalStorage();
  return storage.run(execution, run);
}

/** The execution that is going on here. */
export function attributed(): Attributed | undefined {
  return storage?.getStore();
}
