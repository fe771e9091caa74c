/**
 * Exports a sample of list prices as a starting point. Providers change their prices without notice, so a program that
 * bills by prices needs a table of its own.
 */
import { markSample, type PriceTable } from '../collectors/llm/prices';

/** The date of the list prices in `SAMPLE_PRICES`, in UTC. */
export const SAMPLE_PRICES_AS_OF = '2025-10-01';

/**
 * List prices in US dollars per million tokens, without discounts for batches and without surcharges for long contexts.
 * Spread them into your own table: later entries replace earlier ones. A collector that uses them warns once when they are
 * older than half a year.
 *
 * @example
 * new LlmMetricsCollector({ prices: { ...SAMPLE_PRICES, 'our-model': { input: 0.2, output: 0.8 } } });
 */
export const SAMPLE_PRICES: PriceTable = markSample(
  {
    'gpt-5': { input: 1.25, output: 10, cacheRead: 0.125 },
    'gpt-5-mini': { input: 0.25, output: 2, cacheRead: 0.025 },
    'gpt-5-nano': { input: 0.05, output: 0.4, cacheRead: 0.005 },
    'gpt-4.1': { input: 2, output: 8, cacheRead: 0.5 },
    'gpt-4.1-mini': { input: 0.4, output: 1.6, cacheRead: 0.1 },
    'gpt-4.1-nano': { input: 0.1, output: 0.4, cacheRead: 0.025 },
    'gpt-4o': { input: 2.5, output: 10, cacheRead: 1.25 },
    'gpt-4o-mini': { input: 0.15, output: 0.6, cacheRead: 0.075 },
    // From 2025-06-10 the price is a fifth.
    o3: [
      { from: '2025-04-16', input: 10, output: 40, cacheRead: 2.5 },
      { from: '2025-06-10', input: 2, output: 8, cacheRead: 0.5 },
    ],
    'o4-mini': { input: 1.1, output: 4.4, cacheRead: 0.275 },
    'text-embedding-3-small': { input: 0.02, output: 0 },
    'text-embedding-3-large': { input: 0.13, output: 0 },
    'claude-opus-4-1': { input: 15, output: 75, cacheRead: 1.5, cacheWrite: 18.75 },
    'claude-opus-4': { input: 15, output: 75, cacheRead: 1.5, cacheWrite: 18.75 },
    'claude-sonnet-4-5': { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 },
    'claude-sonnet-4': { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 },
    'claude-3-5-haiku': { input: 0.8, output: 4, cacheRead: 0.08, cacheWrite: 1 },
    'gemini-2.5-pro': { input: 1.25, output: 10, cacheRead: 0.125 },
    'gemini-2.5-flash': { input: 0.3, output: 2.5, cacheRead: 0.03 },
    'gemini-2.5-flash-lite': { input: 0.1, output: 0.4, cacheRead: 0.01 },
    'gemini-2.0-flash': { input: 0.1, output: 0.4, cacheRead: 0.025 },
  },
  SAMPLE_PRICES_AS_OF,
);
