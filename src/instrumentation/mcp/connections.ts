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

/** The collectors that observe a transport already. */
const observed = new WeakMap<object, Set<AgentMetricsCollector>>();

/** @param peer the SDK's client or server @returns undefined if it has no method `connect()` */
export function measureConnections(peer: object, side: McpSide): Uninstall | undefined {
  const patches = new Patches(side.collector);
  const open = new Set<Uninstall>();
  const attach = (transport: unknown): void => {
    if (typeof transport !== 'object' || transport === null) return;
    const collectors = observed.get(transport) ?? new Set();
    if (collectors.has(side.collector)) return;
    observed.set(transport, collectors.add(side.collector));
    const exchange = new Exchange(side);
    const [fromMe, fromPeer] =
      side.side === 'client' ? (['fromClient', 'fromServer'] as const) : (['fromServer', 'fromClient'] as const);
    const detach = observeTransport(transport, side.collector, {
      sent: (message) => exchange[fromMe](message),
      notSent: (message, error) => side.side === 'client' && exchange.notSent(message, error),
      received: (message) => exchange[fromPeer](message),
      closed: () => {
        exchange.closed();
        remove();
      },
    });
    const remove = (): void => {
      open.delete(remove);
      collectors.delete(side.collector);
      detach();
    };
    open.add(remove);
  };
  const wrapped = patches.wrap(peer, 'connect', (original, [transport]) => {
    quietly(() => attach(transport));
    return original();
  });
  if (!wrapped) return undefined;
  attach(read(peer, 'transport'));
  return () => {
    patches.uninstall();
    for (const remove of open) remove();
  };
}
