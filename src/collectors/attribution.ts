/**
 * Finds the agent that makes a request: the execution around the place where the request starts. The agents' collector sets it,
 * the LLM collector reads it; neither knows the other.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

/** Receives the tokens and cost of the requests made within an execution, once for each request. */
export interface Attributed {
  addUsage(inputTokens: number, outputTokens: number, costUsd: number): void;
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
