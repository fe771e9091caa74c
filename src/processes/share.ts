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
  runFolder,
  type Sharing,
  shareContributor,
  sharedWith,
  takeWarnings,
  wasRead,
} from '../native/contributor';
import { checkOptionNames, optionNames } from '../options';
import { showRun } from '../registry/expositions';
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

/** How a worker is to join: as its primary did, with a label, or because its primary shares without having been asked to. */
const [PLAIN, LABELLED, UNASKED] = [0, 1, 2];

/** How often a process looks whether another one has read its values, and whether its file is there. */
const LOOK_MS = 1000;
/** How often a worker tries again to join. */
const JOIN_AGAIN_MS = 5000;
/** How long collectors may take. */
const COLLECT_MS = 10_000;

/** The run of this process. */
let joined: SharedProcesses | undefined;
/** What this process has joined its run with, if it was not told by its primary. */
let chosen: ShareProcessesOptions | undefined;
/** True if this process shares its metrics from its first worker on. */
let isWaiting = false;

/**
 * Shares the metrics of this service's processes: each scrape shows all of them, also those that have ended. Processes belong
 * together by name, user, container and parent process. Workers that `node:cluster` forks later join by themselves. A
 * second call changes nothing.
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
  const given = present(options);
  const all = { ...defaults(), ...given };
  const { dir, name, workerLabel, keep } = all;
  checkText('dir', dir ?? '/');
  checkText('name', name);
  if (typeof keep !== 'boolean') refuseOption('true or false', 'keep', keep);
  if (workerLabel !== true && workerLabel !== false) checkText('workerLabel', workerLabel);
  showRun(true);
  if (joined === undefined) return join({ dir, name, worker: labelOf(workerLabel), keep }, all);
  warnOfOthers(given, joined);
  return joined;
}

const defaults = () => ({
  dir: process.env.METRICS_PROCESSES_DIR || undefined,
  name: serviceName(),
  workerLabel: false as string | boolean,
  keep: false,
});

/** The options that are given, inherited ones too. */
const present = ({ dir, name, workerLabel, keep }: ShareProcessesOptions): Partial<ReturnType<typeof defaults>> =>
  Object.fromEntries(Object.entries({ dir, name, workerLabel, keep }).filter(([, value]) => value !== undefined));

/** Warns of options that come too late. Those of a worker are its primary's. */
function warnOfOthers(given: object, { dir }: SharedProcesses): void {
  const former = chosen;
  if (former === undefined) return;
  const others = Object.entries(given).filter(([name, value]) => value !== former[name as keyof ShareProcessesOptions]);
  if (others.length === 0) return;
  const names = others.map(([name]) => name).join(', ');
  warnOnce(
    `INVALID_CONFIG: shareProcesses() ignores ${names}: this process shares its metrics in ${dir} already. Call it before cluster.fork(), and once`,
  );
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

function join(options: Sharing, all: ShareProcessesOptions): SharedProcesses {
  const run = enter(options);
  chosen = all;
  tellWorkers(run.dir, all.workerLabel === false ? PLAIN : LABELLED);
  return run;
}

/** Workers inherit the variable. A process that is not a worker of this one ignores it. */
function tellWorkers(folder: string, how: number): void {
  process.env[RUN] = `${process.pid}:${how}:${folder}`;
}

/**
 * Shares the metrics of a primary of `node:cluster` with its workers, from the first one on. No file is written before, so a
 * program without workers has only the variable. If the folder cannot be used, registries ask the workers by message.
 *
 * @returns true if this process shares its metrics, or will
 */
export function shareWithWorkers(): boolean {
  if (joined !== undefined || isWaiting || !isMainThread || !mayBePrimary()) return joined !== undefined || isWaiting;
  const cluster = require('node:cluster') as typeof import('node:cluster').default;
  if (!cluster.isPrimary) return false;
  const all = defaults();
  // Its workers are told the run. Without a folder that the program has set, no other process is to join.
  const isAsked = all.dir !== undefined;
  if (!isAsked) all.name += `\n${process.pid} ${performance.timeOrigin}`;
  const { dir, name, keep } = all;
  const run = runFolder({ dir, name, keep });
  if (run === null) return false;
  isWaiting = true;
  // The first worker is made before anyone hears of it.
  tellWorkers(run, isAsked ? PLAIN : UNASKED);
  const begin = () => {
    if (joined !== undefined) return;
    showRun(isAsked);
    // The folder that the workers were told: what its name is made of may have changed since.
    joinOrTryAgain({ name, run, keep }, all);
  };
  if (Object.keys(cluster.workers ?? {}).length > 0) begin();
  else cluster.once('fork', begin);
  return true;
}

/** False if nothing has loaded `node:cluster`, which loads much else. Only Node.js tells. */
function mayBePrimary(): boolean {
  const { moduleLoadList } = process as { moduleLoadList?: readonly string[] };
  return moduleLoadList?.includes('NativeModule cluster') ?? false;
}

/** What all processes of a service have in common. PM2 may run one script as several applications, each with a name. */
function serviceName(): string {
  const { argv, env, execPath } = process;
  const script = argv[1] ?? execPath;
  return env.pm_id === undefined ? script : `${script}\n${env.name}`;
}

function enter(options: Sharing): SharedProcesses {
  isWaiting = false;
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
  joinRun(process.env[RUN]);
}

/** Joins the run of the primary, as the primary's variable names it. */
export function joinRun(said = ''): void {
  const cluster = require('node:cluster') as typeof import('node:cluster').default;
  const [, pid, how, dir] = /^(\d+):([012]):(.+)$/s.exec(said) ?? [];
  if (joined !== undefined || !cluster.isWorker || Number(pid) !== process.ppid) return;
  // Workers of a program that PM2 runs inherit its number.
  const number = [process.env.NODE_APP_INSTANCE, cluster.worker?.id].filter((part) => part !== undefined).join('-');
  const options = { name: '', run: dir, worker: how === `${LABELLED}` ? number : undefined, keep: false };
  if (how === `${UNASKED}`) showRun(false);
  joinOrTryAgain(options);
}

/**
 * Joins a run, or tries again until this process takes part in one: the disk may have room again, or the lock be free. The
 * program has not asked for anything: it runs on, and only its own scrapes show its values meanwhile.
 */
function joinOrTryAgain(options: Sharing, all?: ShareProcessesOptions): void {
  const tryTo = (atOnce: boolean) => {
    try {
      if (joined !== undefined) return true;
      enter({ ...options, atOnce });
      chosen = all;
      return true;
    } catch (error) {
      warnOnce(messageOf(error));
      return false;
    }
  };
  if (tryTo(false)) return;
  const timer = setInterval(() => {
    if (tryTo(true)) clearInterval(timer);
  }, JOIN_AGAIN_MS);
  timer.unref();
}
