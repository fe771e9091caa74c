/**
 * Measures the operations of a client or server of the Model Context Protocol: of the transport that it has, and of those that
 * it is connected to later.
 */
import type { AgentMetricsCollector } from '../../collectors/agent/agent-collector';
import { read } from '../../read';
import { quietly } from '../../warnings';
import type { Uninstall } from '../options';
import { Patches } from '../patches';
import { Exchange, type McpSide } from './messages';
import { observeTransport } from './transport';

/** A transport that is observed for a collector. */
interface Observation {
  /** The open observations of each installation that wants this one. It ends when none does. */
  readonly wanted: Set<Set<Observation>>;
  end(): void;
}

/** The observations of each transport, by collector: an operation counts once, however often a peer is instrumented. */
const observations = new WeakMap<object, Map<AgentMetricsCollector, Observation>>();

/** @param peer the SDK's client or server @returns undefined if it has no method `connect()` */
export function measureConnections(peer: object, side: McpSide): Uninstall | undefined {
  // Each installation observes a transport, so that it goes on if another one of the same collector is uninstalled.
  const patches = new Patches({});
  const open = new Set<Observation>();
  const attach = (transport: unknown): void => {
    if (typeof transport !== 'object' || transport === null) return;
    const byCollector = observations.get(transport) ?? new Map<AgentMetricsCollector, Observation>();
    observations.set(transport, byCollector);
    const observation = byCollector.get(side.collector) ?? observe(transport, side, byCollector);
    observation.wanted.add(open);
    open.add(observation);
  };
  const wrapped = patches.wrap(peer, 'connect', (original, [transport]) => {
    quietly(() => attach(transport));
    return original();
  });
  if (!wrapped) return undefined;
  attach(read(peer, 'transport'));
  return () => {
    patches.uninstall();
    for (const observation of open) {
      observation.wanted.delete(open);
      if (observation.wanted.size === 0) observation.end();
    }
    open.clear();
  };
}

function observe(transport: object, side: McpSide, byCollector: Map<AgentMetricsCollector, Observation>): Observation {
  const exchange = new Exchange(side);
  const [fromMe, fromPeer] =
    side.side === 'client' ? (['fromClient', 'fromServer'] as const) : (['fromServer', 'fromClient'] as const);
  const observation: Observation = {
    wanted: new Set(),
    end: () => {
      for (const open of observation.wanted) open.delete(observation);
      byCollector.delete(side.collector);
      detach();
    },
  };
  const detach = observeTransport(transport, {
    sent: (message) => exchange[fromMe](message),
    notSent: (message, error) => side.side === 'client' && exchange.notSent(message, error),
    received: (message) => exchange[fromPeer](message),
    closed: () => {
      exchange.closed();
      observation.end();
    },
  });
  byCollector.set(side.collector, observation);
  return observation;
}
