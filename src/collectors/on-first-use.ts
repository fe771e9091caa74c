/**
 * Loads the collectors when a program first uses them: loading the package is faster without the modules of the default
 * metrics, of the LLM metrics and of the agent metrics. The classes are proxies and not getters, because `import` would read
 * a getter at once.
 */
import type * as Agent from './agent/agent-collector';
import type * as Defaults from './default-metrics';
import type * as Llm from './llm/llm-collector';

const llm = (): typeof Llm => require('./llm/llm-collector') as typeof Llm;
const agent = (): typeof Agent => require('./agent/agent-collector') as typeof Agent;
const defaults = (): typeof Defaults => require('./default-metrics') as typeof Defaults;

export const LlmMetricsCollector: typeof Llm.LlmMetricsCollector = onFirstUse(() => llm().LlmMetricsCollector);
export type LlmMetricsCollector = Llm.LlmMetricsCollector;
export const AgentMetricsCollector: typeof Agent.AgentMetricsCollector = onFirstUse(
  () => agent().AgentMetricsCollector,
);
export type AgentMetricsCollector = Agent.AgentMetricsCollector;

export const collectDefaultMetrics: typeof Defaults.collectDefaultMetrics = Object.defineProperty(
  (...options: []) => defaults().collectDefaultMetrics(...options),
  'metricsList',
  { enumerable: true, get: () => defaults().collectDefaultMetrics.metricsList },
) as typeof Defaults.collectDefaultMetrics;

export const collectYielding: typeof Defaults.collectYielding = (options) => defaults().collectYielding(options);

export const llmCollectorOf: typeof Llm.llmCollectorOf = (registry) => llm().llmCollectorOf(registry);
export const agentCollectorOf: typeof Agent.agentCollectorOf = (registry) => agent().agentCollectorOf(registry);

interface Class {
  new (...args: never[]): object;
  readonly prototype: object;
}

/** A class in whose place the real one does everything: it is loaded when a program makes, extends, compares or reads it. */
function onFirstUse<C extends Class>(load: () => C): C {
  let loaded: C | undefined;
  const real = (): C => {
    if (loaded !== undefined) return loaded;
    loaded = load();
    // An object's `constructor` is the class that the program knows.
    Object.defineProperty(loaded.prototype, 'constructor', { value: proxy, writable: true, configurable: true });
    return loaded;
  };
  // A bound function can be constructed and has no `prototype`, which a proxy would have to show as it is.
  const proxy: C = new Proxy(Object.bind(undefined) as unknown as C, {
    apply: (_, self, args) => Reflect.apply(real() as unknown as () => unknown, self, args),
    construct: (_, args, target) => Reflect.construct(real(), args, target),
    defineProperty: (_, key, descriptor) => Reflect.defineProperty(real(), key, descriptor),
    deleteProperty: (_, key) => Reflect.deleteProperty(real(), key),
    get: (_, key, receiver) => Reflect.get(real(), key, receiver),
    getOwnPropertyDescriptor(_, key) {
      const descriptor = Reflect.getOwnPropertyDescriptor(real(), key);
      // The engine refuses a property that is fixed here and missing in the bound function.
      return descriptor && { ...descriptor, configurable: true };
    },
    getPrototypeOf: () => Reflect.getPrototypeOf(real()),
    has: (_, key) => Reflect.has(real(), key),
    ownKeys: () => Reflect.ownKeys(real()),
    set: (_, key, value, receiver) => Reflect.set(real(), key, value, receiver),
  });
  return proxy;
}
