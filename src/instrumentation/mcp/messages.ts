/**
 * Measures the requests of one connection by its messages: JSON-RPC is the same in all versions of the SDK. Must not know
 * transports.
 */
import { type Moment, now, secondsSince } from '../../clock';
import type { AgentMetricsCollector } from '../../collectors/agent/agent-collector';
import type { AgentErrorType } from '../../collectors/words';
import { read, readText } from '../../read';
import { classifyError, classifyResult } from './failure';

/** The side that measures, and what it knows of the server. */
export interface McpSide {
  readonly side: 'client' | 'server';
  readonly collector: AgentMetricsCollector;
  /** The server's name, as far as it is known without messages. */
  serverName(): string | undefined;
  /** Whether the server has this tool or prompt; false if that is unknown. */
  hasTarget(method: string, name: string): boolean;
}

interface Open {
  readonly method: string;
  readonly target: string | undefined;
  readonly start: Moment;
}

/** Methods whose parameter `name` is the name of a tool or prompt. */
const TARGETED: ReadonlySet<string> = new Set(['tools/call', 'prompts/get']);
/** The reason that a client gives for a request which took too long. */
const TIMEOUT = /\btime(d |-)?out/i;
/** Names of one list that are remembered. */
const LISTED_MAX = 1000;

/** The requests of one connection that are not answered yet. */
export class Exchange {
  readonly #side: McpSide;
  readonly #open = new Map<unknown, Open>();
  #serverName: string | undefined;

  constructor(side: McpSide) {
    this.#side = side;
  }

  /** A message of the client to the server. */
  fromClient(message: unknown): void {
    const method = readText(message, 'method');
    const params = read(message, 'params');
    const id = read(message, 'id');
    if (method === 'notifications/cancelled') {
      const isTimeout = TIMEOUT.test(readText(params, 'reason') ?? '');
      this.#end(read(params, 'requestId'), isTimeout ? 'timeout' : 'cancelled');
    } else if (method !== undefined && id !== undefined && !this.#open.has(id)) {
      const target = TARGETED.has(method) ? readText(params, 'name') : undefined;
      this.#open.set(id, { method, target, start: now() });
    }
  }

  /** A message of the server to the client. */
  fromServer(message: unknown): void {
    const id = read(message, 'id');
    // A message with a method is a request of the server, whose ids are its own.
    if (read(message, 'method') !== undefined || !this.#open.has(id)) return;
    const error = read(message, 'error');
    if (error === undefined) this.#answered(id, this.#open.get(id) as Open, read(message, 'result'));
    else this.#end(id, classifyError(error, undefined));
  }

  #answered(id: unknown, { method }: Open, result: unknown): void {
    if (method === 'initialize') this.#serverName = readText(read(result, 'serverInfo'), 'name');
    for (const list of ['tools', 'prompts']) if (method === `${list}/list`) this.#listed(read(result, list));
    this.#end(id, classifyResult(result));
  }

  /** A message could not be sent. */
  notSent(message: unknown, error: unknown): void {
    this.#end(read(message, 'id'), classifyError(error, undefined));
  }

  /** The connection has ended, and with it all requests. */
  closed(): void {
    const errorType = this.#side.side === 'client' ? 'connection' : 'cancelled';
    for (const id of [...this.#open.keys()]) this.#end(id, errorType);
  }

  #listed(entries: unknown): void {
    if (!Array.isArray(entries)) return;
    for (const entry of entries.slice(0, LISTED_MAX)) {
      this.#side.collector.registerMcpTarget(String(read(entry, 'name')));
    }
  }

  #end(id: unknown, errorType: AgentErrorType | undefined): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    this.#open.delete(id);
    const { side, collector } = this.#side;
    const { method, target } = open;
    if (target !== undefined && this.#side.hasTarget(method, target)) collector.registerMcpTarget(target);
    const server = this.#side.serverName() ?? this.#serverName ?? 'other';
    const durationMs = secondsSince(open.start) * 1000;
    collector.recordMcpOperation({ side, server, method, target, errorType, durationMs });
  }
}
