/**
 * Puts the listener among the integrations that the package `ai` tells everything, and takes it away again. They are in one
 * list a realm, which `registerTelemetry` adds to; this does what that does, without the package.
 */
import type { AgentMetricsCollector } from '../../collectors/agent/agent-collector';
import type { LlmMetricsCollector } from '../../collectors/llm/llm-collector';
import { refuseOption } from '../../errors';
import { warnOnce } from '../../quietly';
import { resolveAgentCollector } from '../agent-options';
import { checkOptions, type Uninstall } from '../options';
import { type AgentsTelemetry, AiSdkTelemetry } from './telemetry';

/** Runs with a `functionId` as agents. */
export interface AiSdkAgentsOptions {
  /** What records. @default the default registry's: the first that was made for it, or one that is made now */
  collector?: AgentMetricsCollector | undefined;
  /** Tools whose call ends a run as it should, as with `stopWhen: hasToolCall('answer')`. @default [] */
  finalTools?: readonly string[] | undefined;
}

export interface InstrumentAiSdkOptions {
  /** What records. @default the default registry's: the first that was made for it, or one that is made now */
  collector?: LlmMetricsCollector | undefined;
  /** Providers by what the SDK's packages name them, or what that begins with: `{ 'my-gateway': 'vllm' }`. */
  providers?: Readonly<Record<string, string>> | undefined;
  /** Whether runs that have a `functionId` are recorded as an agent's, with it as `agent_type`; with which options. @default false */
  agents?: boolean | AgentMetricsCollector | AiSdkAgentsOptions | undefined;
}

/** Marks listeners, across copies of this package, so that nothing is counted twice. */
const LISTENER = Symbol.for('@llm-devops/prometheus-metrics.ai-sdk');

const realm = globalThis as { AI_SDK_TELEMETRY_INTEGRATIONS?: unknown };

/**
 * Measures what the package `ai` asks models until the returned function is called.
 *
 * @example
 * const uninstall = instrumentAiSdk({ agents: true });
 * await generateText({ model: openai('gpt-4o-mini'), prompt, telemetry: { functionId: 'researcher' } });
 * @throws {ConfigurationError} `INVALID_CONFIG`
 */
export function instrumentAiSdk(options: InstrumentAiSdkOptions = {}): Uninstall {
  if (typeof options !== 'object' || options === null) refuseOption('an object', 'options', options);
  const { collector } = checkOptions({ collector: options.collector });
  const { providers = {} } = options;
  if (typeof providers !== 'object' || providers === null) refuseOption('names by name', 'providers', providers);
  const agents = checkAgents(options.agents);
  realm.AI_SDK_TELEMETRY_INTEGRATIONS ??= [];
  const integrations = realm.AI_SDK_TELEMETRY_INTEGRATIONS;
  if (!Array.isArray(integrations)) {
    warnOnce('Not measured, for this version of ai keeps its integrations elsewhere: AI_SDK_TELEMETRY_INTEGRATIONS');
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
  return 'startExecution' in given ? { collector: given } : given;
}
