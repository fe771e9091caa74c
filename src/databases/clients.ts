/**
 * Records the operations of databases' clients, through the tracing channels that these clients publish. Owns the metrics of
 * databases. Reads no values, keys or names of tables.
 */
import { subscribe } from 'node:diagnostics_channel';
import { type Moment, now, secondsSince } from '../clock';
import { CappedNames } from '../labels/capped-names';
import { OTHER } from '../labels/value';
import type { Counter } from '../metrics/counter';
import type { Histogram } from '../metrics/histogram';
import { onFirstUse } from '../on-first-use';
import { read, readText } from '../read';
import { Registry } from '../registry/registry';

/** Most values of the `operation` label for each database: servers can have commands of their own. */
const MAX_OPERATIONS = 100;
/** What a command or an operation is called. Anything else may hold data. */
const NAME = /^[a-z][a-z0-9._|-]{0,31}$/i;
/** The statement that a text of SQL is, behind comments and brackets. */
const STATEMENT = /^(?:\s|\(|--.*\n|#.*\n|\/\*(?:[^*]|\*(?!\/))*\*\/)*([a-z]+)/i;
const STATEMENTS: ReadonlySet<string> = new Set(
  (
    'select insert update delete replace with call set show use begin start commit rollback savepoint release create alter ' +
    'drop truncate rename load lock unlock grant revoke explain analyze optimize describe desc do handler kill table values'
  ).split(' '),
);

const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const LABELS = ['system', 'operation', 'status'] as const;

type DatabaseLabel = (typeof LABELS)[number];

/** How to read the operation from the message of a channel. */
type ReadOperation = (message: unknown) => string | undefined;

/** The channels, by database. Each client reports a batch's operations one by one. */
const CHANNELS: Readonly<Record<string, readonly [ReadOperation, ...string[]]>> = {
  redis: [(message) => readText(message, 'command'), 'ioredis:command', 'node-redis:command'],
  mysql: [readStatement, 'mysql2:query', 'mysql2:execute'],
  mongodb: [
    (message) => readText(message, 'operation'),
    ...['query', 'aggregate', 'model:save', 'model:insertMany', 'model:bulkWrite'].map((name) => `mongoose:${name}`),
  ],
};

function readStatement(message: unknown): string | undefined {
  const query = read(message, 'query');
  const text = typeof query === 'string' ? query : readText(query, 'sql');
  const statement = STATEMENT.exec(text?.slice(0, 1000) ?? '')?.[1]?.toLowerCase();
  return statement !== undefined && STATEMENTS.has(statement) ? statement : undefined;
}

interface Operation {
  readonly start: Moment;
  failed: boolean;
}

class DatabaseRecorder {
  readonly #operations: Counter<DatabaseLabel>;
  readonly #seconds: Histogram<DatabaseLabel>;
  readonly #names = new Map<string, CappedNames>();

  constructor(registry: Registry) {
    this.#operations = registry.counter({
      name: 'llmdevops_db_client_operations_total',
      help: 'Operations of databases that the program asked for and that have ended',
      labelNames: LABELS,
    });
    this.#seconds = registry.histogram({
      name: 'llmdevops_db_client_operation_duration_seconds',
      help: 'Time from asking a database for an operation to its answer',
      labelNames: LABELS,
      buckets: BUCKETS,
    });
  }

  record(system: string, given: string | undefined, { start, failed }: Operation): void {
    let names = this.#names.get(system);
    if (names === undefined) {
      names = new CappedNames(MAX_OPERATIONS);
      this.#names.set(system, names);
    }
    const name = given !== undefined && NAME.test(given) ? given.toLowerCase() : OTHER;
    // An unknown command is an error, and must not make a series.
    const operation = failed ? names.known(name) : names.admit(name);
    const labels = { system, operation, status: failed ? 'error' : 'success' };
    this.#operations.inc(labels);
    this.#seconds.observe(labels, secondsSince(start));
  }
}

/** Records the operations in the default registry, from now on. Registers the metrics at the first operation. */
export function watchDatabases(): void {
  const withRecorder = onFirstUse(() => new DatabaseRecorder(Registry.globalRegistry));
  for (const [system, [readOperation, ...channels]] of Object.entries(CHANNELS)) {
    for (const channel of channels) {
      watch(channel, (message, operation) =>
        withRecorder((recorder) => recorder.record(system, readOperation(message), operation)),
      );
    }
  }
}

/** Follows the operations of one tracing channel. An operation that throws at once has no asynchronous part. */
function watch(channel: string, ended: (message: object, operation: Operation) => void): void {
  const open = new WeakMap<object, Operation>();
  const on = (event: string, use: (message: object, operation: Operation | undefined) => void): void => {
    subscribe(`tracing:${channel}:${event}`, (message) => use(message as object, open.get(message as object)));
  };
  const end = (message: object, operation: Operation | undefined): void => {
    if (operation === undefined) return;
    open.delete(message);
    ended(message, operation);
  };
  on('start', (message) => open.set(message, { start: now(), failed: false }));
  on('error', (_, operation) => {
    if (operation !== undefined) operation.failed = true;
  });
  on('end', (message, operation) => {
    if (operation?.failed === true) end(message, operation);
  });
  on('asyncStart', end);
}
