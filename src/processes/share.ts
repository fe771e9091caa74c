/**
 * Joins this process to the run of its service, so that each of its processes shows the values of all. Tells the workers of
 * `node:cluster` which run to join.
 */
import { clearInterval, setInterval } from 'node:timers';
import { isMainThread } from 'node:worker_threads';
import { messageOf, refuseOption } from '../errors';
import {
  lookAfterFile,
  RUN,
  type Sharing,
  shareContributor,
  sharedWith,
  takeWarnings,
  wasRead,
} from '../native/contributor';
import { checkOptionNames, optionNames } from '../options';
import { internalsOf, jsonOfProcess, Registry } from '../registry/registry';
import type { MetricObjectWithValues } from '../types';
import { warnOnce } from '../warnings';

/** Options of `shareProcesses()`. */
export interface ShareProcessesOptions {
  /** A folder of this user on tmpfs, ext4, XFS or overlay. @default METRICS_PROCESSES_DIR, `/dev/shm` or the temporary folder */
  dir?: string | undefined;
  /** The service. Processes of other names never meet. @default the main script, and the name of the application in PM2 */
  name?: string | undefined;
  /** A label `worker` for this process's series; `true`: the number in `node:cluster` or PM2. @default false */
  workerLabel?: string | boolean | undefined;
  /** True to keep the counts for processes that begin after the last one has ended. @default false */
  keep?: boolean | undefined;
}

/** The run that a process takes part in. */
export interface SharedProcesses {
  /** The folder of the run. */
  readonly dir: string;
  /** The process numbers of the live processes. */
  processes(): number[];
}

const OPTIONS = optionNames<ShareProcessesOptions>('shareProcesses', {
  dir: true,
  name: true,
  workerLabel: true,
  keep: true,
});

/** How often a process looks whether another one has read its values, and whether its file is there. */
const LOOK_MS = 1000;
/** How often a worker tries again to join. */
const JOIN_AGAIN_MS = 5000;
/** How long collectors may take. */
const COLLECT_MS = 10_000;

/** The run of this process. */
let joined: SharedProcesses | undefined;

/**
 * Shares the metrics of this service's processes: each scrape shows all of them, also those that have ended. Processes belong
 * together by name, user, container and parent process. Workers that `node:cluster` forks later join by themselves.
 *
 * @throws {ConfigurationError} `INVALID_CONFIG`, also for a folder that cannot be used, and on systems other than Linux
 *
 * @example
 * shareProcesses();
 * if (cluster.isPrimary) cluster.fork();
 */
export function shareProcesses(options: ShareProcessesOptions = {}): SharedProcesses {
  if (typeof options !== 'object' || options === null)
    refuseOption('an object', 'options of shareProcesses()', options);
  checkOptionNames(options, OPTIONS);
  const { dir = process.env.METRICS_PROCESSES_DIR || undefined, name = serviceName() } = options;
  const { workerLabel = false, keep = false } = options;
  checkText('dir', dir ?? '/');
  checkText('name', name);
  if (typeof keep !== 'boolean') refuseOption('true or false', 'keep', keep);
  if (workerLabel !== true && workerLabel !== false) checkText('workerLabel', workerLabel);
  return joined ?? join({ dir, name, worker: labelOf(workerLabel), keep }, workerLabel !== false);
}

/** The value of the label `worker`. */
function labelOf(workerLabel: string | boolean): string | undefined {
  if (typeof workerLabel === 'string') return workerLabel;
  if (!workerLabel) return undefined;
  const cluster = require('node:cluster') as typeof import('node:cluster').default;
  return process.env.NODE_APP_INSTANCE ?? String(cluster.worker?.id ?? 'primary');
}

function checkText(option: string, value: unknown): void {
  // The system's calls would take only the text before a zero character.
  if (typeof value !== 'string' || value === '' || value.includes('\0')) refuseOption('a text', option, value);
}

function join(options: Sharing, isLabelled: boolean): SharedProcesses {
  const run = enter(options);
  // Workers inherit the variable. A process that is not a worker of this one ignores it.
  process.env[RUN] = `${process.pid}:${Number(isLabelled)}:${run.dir}`;
  return run;
}

/** What all processes of a service have in common. PM2 may run one script as several applications, each with a name. */
function serviceName(): string {
  const { argv, env, execPath } = process;
  const script = argv[1] ?? execPath;
  return env.pm_id === undefined ? script : `${script}\n${env.name}`;
}

function enter(options: Sharing): SharedProcesses {
  joined = { dir: shareContributor(options), processes: sharedWith };
  lookAfter();
  return joined;
}

/** Looks after the file of this thread, and collects for other processes. */
function lookAfter(): void {
  // A scrape in another process cannot run the collectors of this one, and shows the values that they set last.
  const { collections } = internalsOf(Registry.globalRegistry);
  setInterval(() => {
    try {
      lookAfterFile();
    } catch (error) {
      warnOnce(messageOf(error));
    }
    for (const warning of takeWarnings()) warnOnce(warning);
    if (isMainThread && wasRead()) collections.run([], { limitMs: COLLECT_MS }).catch(() => {});
  }, LOOK_MS).unref();
}

/** True if this process shares its metrics. */
export function isSharing(): boolean {
  return joined !== undefined;
}

/** The numbers of the live processes that share their metrics with this one; `undefined` if it does not share. */
export function joinedProcesses(): ReadonlySet<number> | undefined {
  return joined && new Set(joined.processes());
}

/** The families of a registry, without those of other processes: for messages, whose answers are added up. */
export function ownFamilies(registry: Registry, aggregator?: string): Promise<MetricObjectWithValues[]> {
  // Programs replace `getMetricsAsJSON()`.
  return isSharing() ? registry[jsonOfProcess](aggregator) : registry.getMetricsAsJSON(aggregator);
}

/**
 * Joins the run of the primary, if it has one. Called once in a thread, which has joined with its process, and in a process
 * that has a channel to its parent and the variable.
 */
export function joinAsWorker(): void {
  if (!isMainThread) {
    lookAfter();
    return;
  }
  const cluster = require('node:cluster') as typeof import('node:cluster').default;
  const [, pid, isLabelled, dir] = /^(\d+):([01]):(.+)$/s.exec(process.env[RUN] ?? '') ?? [];
  if (joined !== undefined || !cluster.isWorker || Number(pid) !== process.ppid) return;
  // Workers of a program that PM2 runs inherit its number.
  const number = [process.env.NODE_APP_INSTANCE, cluster.worker?.id].filter((part) => part !== undefined).join('-');
  const options = { name: '', run: dir, worker: isLabelled === '1' ? number : undefined, keep: false };
  try {
    enter(options);
  } catch (error) {
    // The worker has not asked for anything: it runs on, and only its own scrapes show its values until it can join.
    warnOnce(messageOf(error));
    joinLater(options);
  }
}

/** Tries again until this process takes part in a run: the disk may have room again, or the lock be free. */
function joinLater(options: Sharing): void {
  const timer = setInterval(() => {
    try {
      if (joined === undefined) enter({ ...options, atOnce: true });
      clearInterval(timer);
    } catch (error) {
      warnOnce(messageOf(error));
    }
  }, JOIN_AGAIN_MS);
  timer.unref();
}
