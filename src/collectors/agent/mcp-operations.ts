/**
 * Records operations of the Model Context Protocol, as a client and as a server see them: one histogram for each, as
 * OpenTelemetry's conventions have it. Only JavaScript records them, so they are not in the core's catalogue.
 */

import { CappedNames } from '../../labels/capped-names';
import type { CatalogueEntry } from '../../native/addon';
import type { Registry } from '../../registry/registry';
import { toSeconds } from '../amount';
import { Families } from '../families';
import { OTHER, readName } from '../label-values';
import type { AgentErrorType } from '../words';

/** A request of a client to a server that has ended. */
export interface McpOperation {
  /** Who measured it. */
  side: 'client' | 'server';
  /** The server's name. */
  server: string;
  /** The method of the request, such as `tools/call`. */
  method: string;
  /** The name of the tool or prompt. @default none */
  target?: string | undefined;
  /** Undefined for a success. */
  errorType?: AgentErrorType | undefined;
  durationMs: number;
}

/** Methods of requests. A client may send any method, so others count as `other`. */
const METHODS: ReadonlySet<string> = new Set(
  `initialize ping tools/list tools/call resources/list resources/read resources/templates/list resources/subscribe
   resources/unsubscribe prompts/list prompts/get completion/complete logging/setLevel tasks/get tasks/list tasks/result
   tasks/cancel server/discover subscriptions/listen`.split(/\s+/),
);

/** Bounds of OpenTelemetry's conventions. */
const SECONDS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300];
const SERVERS_MAX = 50;
const TARGETS_MAX = 100;

const entry = (side: string, help: string): CatalogueEntry => ({
  name: `mcp_${side}_operation_duration_seconds`,
  kind: 'histogram',
  labels: [
    // One more than the names that are accepted: `other`.
    { name: 'server', words: [], max: SERVERS_MAX + 1 },
    { name: 'method', words: [] },
    { name: 'target', words: [], max: TARGETS_MAX + 2 },
    { name: 'error_type', words: [] },
  ],
  buckets: SECONDS,
  unit: 'seconds',
  optIn: false,
  help,
});

const ENTRIES = [
  entry('client', 'Requests to MCP servers, from sending a request until its answer'),
  entry('server', 'Requests of MCP clients, from receiving a request until its answer is sent'),
];

/** The operations of one collector. */
export class McpOperations {
  readonly #families: Families;
  readonly #servers = new CappedNames(SERVERS_MAX);
  readonly #targets = new CappedNames(TARGETS_MAX);

  constructor(registry: Registry, namespace: string) {
    this.#families = new Families(ENTRIES, { registry, prefix: `${namespace}_`, optional: new Set() });
  }

  /** A target that exists, so that its failures count under its name. */
  register(target: string): void {
    this.#targets.admit(readName(target));
  }

  /** A failed target that is unknown counts as `other`: the client may have invented its name. */
  record({ side, server, method, target, errorType, durationMs }: McpOperation): void {
    const labels = {
      server: this.#servers.admit(readName(server)),
      method: METHODS.has(method) ? method : OTHER,
      target: target === undefined ? '' : this.#target(readName(target), errorType),
      error_type: errorType ?? '',
    };
    const histogram = this.#families.histogram(`mcp_${side}_operation_duration_seconds`);
    histogram.observe(labels, toSeconds(durationMs) ?? 0);
  }

  #target(target: string, errorType: AgentErrorType | undefined): string {
    return errorType === undefined ? this.#targets.admit(target) : this.#targets.known(target);
  }
}
