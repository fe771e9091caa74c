/**
 * What all instrumentations of SDKs can be told.
 */
import type { LlmMetricsCollector } from '../collectors/llm/llm-collector';
import { refuseOption } from '../errors';
import { api } from '../realm';
import { type ProviderTable, providerAt } from './provider';

export interface InstrumentOptions {
  /** What records. @default the default registry's: the first that was made for it, or one that is made now */
  collector?: LlmMetricsCollector | undefined;
  /** Who answers. @default what the SDK's base URL says */
  provider?: string | undefined;
  /** Providers by host, for base URLs of one's own: `{ 'llm.example.com': 'vllm' }`. */
  providers?: ProviderTable | undefined;
}

/** Puts back what was wrapped. Calls after the first do nothing. */
export type Uninstall = () => void;

/** Options that were checked. */
export interface Instrumenting {
  readonly collector: LlmMetricsCollector;
  /** The provider at a base URL, which may be missing. */
  providerOf(baseUrl: unknown, usual: string): string;
}

/** @throws {ConfigurationError} `INVALID_CONFIG` */
export function instrumenting(options: InstrumentOptions = {}): Instrumenting {
  if (typeof options !== 'object' || options === null) refuseOption('an object', 'options', options);
  const { provider, providers } = options;
  const collector = options.collector ?? api.llmCollectorOf(api.register);
  if (!(collector instanceof api.LlmMetricsCollector)) refuseOption('an LlmMetricsCollector', 'collector', collector);
  if (provider !== undefined && typeof provider !== 'string') refuseOption('a name', 'provider', provider);
  if (providers !== undefined && (typeof providers !== 'object' || providers === null)) {
    refuseOption('names by host', 'providers', providers);
  }
  return {
    collector,
    providerOf: (baseUrl, usual) => provider ?? (baseUrl === undefined ? usual : providerAt(baseUrl, providers)),
  };
}
