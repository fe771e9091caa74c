/**
 * Adds the telemetry listener to the integrations of the package `ai`, and removes it again. The SDK keeps one list of
 * integrations per realm; its `registerTelemetry()` adds to that list, and so does this module, without the package.
 */
import type { AgentMetricsCollector } from '../../collectors/agent/agent-collector';
import type { LlmMetricsCollector } from '../../collectors/llm/llm-collector';
import { refuseOption } from '../../errors';
import { checkOptionNames, optionNames } from '../../options';
import { warnOnce } from '../../warnings';
import { resolveAgentCollector } from '../agent-options';
import { checkOptions, type Uninstall } from '../options';
import { type AgentsTelemetry, AiSdkTelemetry } from './telemetry';

/** How runs with a `functionId` are recorded as agents. */
export interface AiSdkAgentsOptions {
  /**
   * The collector that records executions.
   *
   * @default the default registry's collector: the first one that the program made, or a new one
   */
  collector?: AgentMetricsCollector | undefined;
  /**
   * Names of tools that end a run successfully, as with `stopWhen: hasToolCall('answer')`. A run that stops after calls of
   * other tools is `max_steps`.
   *
   * @default []
   */
  finalTools?: readonly string[] | undefined;
}

/** Options of `instrumentAiSdk()`. */
export interface InstrumentAiSdkOptions {
  /**
   * The collector that records requests to models.
   *
   * @default the default registry's collector: the first one that the program made, or a new one
   */
  collector?: LlmMetricsCollector | undefined;
  /**
   * Values of the `provider` label by the provider name of an SDK package, or by the name's part before the first dot:
   * `{ 'my-gateway': 'vllm' }`.
   *
   * @default {}
   */
  providers?: Readonly<Record<string, string>> | undefined;
  /**
   * Records each run that has a `functionId` as an agent's execution, with the `functionId` as `agent_type`. Pass `true`, a
   * collector, or options.
   *
   * @default false
   */
  agents?: boolean | AgentMetricsCollector | AiSdkAgentsOptions | undefined;
}

const OPTIONS = optionNames<InstrumentAiSdkOptions>('instrumentAiSdk', {
  collector: true,
  providers: true,
  agents: true,
});
const AGENTS_OPTIONS = optionNames<AiSdkAgentsOptions>('agents', { collector: true, finalTools: true });

/** Marks our listener, also that of another copy of this package, so that no request is counted twice. */
const LISTENER = Symbol.for('@llm-devops/prometheus-metrics.ai-sdk');

const realm = globalThis as { AI_SDK_TELEMETRY_INTEGRATIONS?: unknown };

/**
 * Measures the requests to models that the package `ai` makes, in the whole realm. If it is already measured, a second call
 * does nothing.
 *
 * @returns a function that ends the measuring
 * @throws {ConfigurationError} `INVALID_CONFIG` for an invalid option
 *
 * @example
 * const uninstall = instrumentAiSdk({ agents: true });
 * await generateText({ model: openai('gpt-4o-mini'), prompt, telemetry: { functionId: 'researcher' } });
 */
export function instrumentAiSdk(options: InstrumentAiSdkOptions = {}): Uninstall {
  if (typeof options !== 'object' || options === null) refuseOption('an object', 'options', options);
  checkOptionNames(options, OPTIONS);
  const { collector } = checkOptions({ collector: options.collector });
  const { providers = {} } = options;
  if (typeof providers !== 'object' || providers === null)
    refuseOption('an object of provider names', 'providers', providers);
  const agents = checkAgents(options.agents);
  realm.AI_SDK_TELEMETRY_INTEGRATIONS ??= [];
  const integrations = realm.AI_SDK_TELEMETRY_INTEGRATIONS;
  if (!Array.isArray(integrations)) {
    warnOnce('Expected ai to keep a list in globalThis.AI_SDK_TELEMETRY_INTEGRATIONS; its requests are not measured');
    return () => {};
  }
  if (integrations.some((integration) => integration?.[LISTENER] === true)) return () => {};
  const telemetry = Object.assign(new AiSdkTelemetry({ collector, providers, agents }), { [LISTENER]: true });
  integrations.push(telemetry);
  return () => {
    const at = integrations.indexOf(telemetry);
    if (at >= 0) integrations.splice(at, 1);
  };
}

function checkAgents(given: InstrumentAiSdkOptions['agents'] = false): AgentsTelemetry | undefined {
  if (given === false) return undefined;
  if (typeof given !== 'boolean' && (typeof given !== 'object' || given === null)) {
    refuseOption('a boolean, a collector or options', 'agents', given);
  }
  const { collector, finalTools = [] } = normalizeAgents(given);
  if (!Array.isArray(finalTools)) refuseOption('names of tools', 'finalTools', finalTools);
  return { collector: resolveAgentCollector({ collector }), finalTools: new Set(finalTools) };
}

function normalizeAgents(given: true | AgentMetricsCollector | AiSdkAgentsOptions): AiSdkAgentsOptions {
  if (given === true) return {};
  if ('startExecution' in given) return { collector: given };
  checkOptionNames(given, AGENTS_OPTIONS);
  return given;
}
