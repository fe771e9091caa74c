/**
 * Finds the agent that makes a request: the execution around the place where the request starts. The agents' collector sets it,
 * the LLM collector reads it; neither knows the other.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

/** Receives the tokens and cost of the requests made within an execution. */
export interface Attributed {
  /** @param requests 0 for further usage of a request that was counted before. @default 1 */
  addUsage(inputTokens: number, outputTokens: number, costUsd: number, requests?: number): void;
}

let storage: AsyncLocalStorage<Attributed> | undefined;

/** Runs a function whose requests, also across awaits, count for this execution. If executions nest, the innermost counts. */
export function attribute<R>(execution: Attributed, run: () => R): R {
  storage ??= new AsyncLocalStorage();
  return storage.run(execution, run);
}

/** The execution around the caller. */
export function attributed(): Attributed | undefined {
  return storage?.getStore();
}
