/**
 * The options that all instrumentations of SDKs have, and their validation.
 */
import type { LlmMetricsCollector } from '../collectors/llm/llm-collector';
import type { UserLabels } from '../collectors/llm/user-label';
import { refuseOption } from '../errors';
import { api } from '../realm';
import { findProvider, type ProviderTable } from './provider';

/** Options that the instrumentations of SDKs share. */
export interface InstrumentOptions {
  /**
   * The collector that records the requests.
   *
   * @default the default registry's collector: the first one that the program made, or a new one
   */
  collector?: LlmMetricsCollector | undefined;
  /**
   * The value of the `provider` label for all requests, such as `openai`.
   *
   * @default found by the SDK's base URL; `other` for an unknown host
   */
  provider?: string | undefined;
  /**
   * Providers by host, for base URLs of your own: `{ 'llm.example.com': 'vllm' }`. A host includes its subdomains. These
   * entries take precedence over the built-in table; `provider` takes precedence over both.
   *
   * @default {}
   */
  providers?: ProviderTable | undefined;
  /**
   * The value of the collector's own label for all requests: `{ tenant: 'acme' }`.
   *
   * @default that of `withLabels()` around a request
   */
  labels?: UserLabels | undefined;
}

/** Ends the measuring and restores the wrapped methods. Later calls do nothing. */
export type Uninstall = () => void;

/** Validated options, with their defaults. */
export interface CheckedOptions {
  readonly collector: LlmMetricsCollector;
  readonly labels: UserLabels | undefined;
  /**
   * The provider of a request.
   *
   * @param baseUrl `undefined` if the client has none
   * @param usual the provider for a client without a base URL
   */
  resolveProvider(baseUrl: unknown, usual: string): string;
}

/** @throws {ConfigurationError} `INVALID_CONFIG` for an invalid option */
export function checkOptions(options: InstrumentOptions = {}): CheckedOptions {
  if (typeof options !== 'object' || options === null) refuseOption('an object', 'options', options);
  const { provider, providers, labels } = options;
  const collector = options.collector ?? api.llmCollectorOf(api.register);
  if (!(collector instanceof api.LlmMetricsCollector)) refuseOption('an LlmMetricsCollector', 'collector', collector);
  if (provider !== undefined && typeof provider !== 'string') refuseOption('a name', 'provider', provider);
  if (providers !== undefined && (typeof providers !== 'object' || providers === null)) {
    refuseOption('an object of provider names by host', 'providers', providers);
  }
  if (labels !== undefined && (typeof labels !== 'object' || labels === null))
    refuseOption('an object', 'labels', labels);
  return {
    collector,
    labels,
    resolveProvider: (baseUrl, usual) => provider ?? (baseUrl === undefined ? usual : findProvider(baseUrl, providers)),
  };
}
