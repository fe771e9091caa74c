/**
 * Reads answers of the SDK and of its provider packages: tokens, finish reason, provider. Records nothing.
 */
import type { LlmEnd } from '../../collectors/llm/request';
import { read } from '../../read';
import { parseFinishReason } from '../finish-reason';
import { normalizeProviderName } from '../provider';
import { type ReportedUsage, readUsage } from '../usage';
import type { PartLike } from './shapes';

/** Types of stream parts that the SDK counts as output. */
const OUTPUT = new Set(['text-delta', 'reasoning-delta', 'tool-input-delta', 'tool-call', 'file', 'reasoning-file']);

/**
 * The value of the `provider` label for a provider package's name.
 *
 * @param more entries that take precedence, by the whole name or by its part before the first dot
 */
export function resolveProvider(name: unknown, more: Readonly<Record<string, string>> = {}): string {
  const whole = String(name ?? '');
  const [first = ''] = whole.split('.');
  const named = [whole, first].find((key) => Object.hasOwn(more, key));
  return named === undefined ? normalizeProviderName(whole) : (more[named] as string);
}

/** Reads how a model's answer ended. Providers for version 5 of the SDK give the reason as a text. */
export function readModelEnd(usage: object | undefined, finishReason: unknown): LlmEnd {
  const reason = typeof finishReason === 'string' ? finishReason : read(finishReason, 'unified');
  const end = readTokens(usage);
  end.finishReason = parseFinishReason(reason);
  return end;
}

/** The SDK's counts, and what only the provider's own usage tells, which the SDK passes on as `raw`. */
export function readTokens(usage: object | undefined): ReportedUsage {
  const end = readUsage(usage);
  const raw = readUsage(read(usage, 'raw'));
  end.providerCostUsd = raw.providerCostUsd;
  end.serviceTier = raw.serviceTier;
  end.serverToolCalls = raw.serverToolCalls;
  end.cacheWriteLongTokens = raw.cacheWriteLongTokens;
  return end;
}

/** True for a stream part with output that is not empty. */
export function isOutput({ type, delta }: PartLike): boolean {
  return OUTPUT.has(type) && delta !== '';
}
