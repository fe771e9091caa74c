/**
 * The native addon. Without it, loading the library fails and says why, unless METRICS_ENABLED is false: disabled
 * metrics need no addon.
 */
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import type * as Addon from '../../dist/native';
import { ConfigurationError, messageOf } from '../errors';
import { redactWith, warnOnce } from '../warnings';
import type * as Diagnosis from './diagnosis';
import { loadAddon, namedFile } from './loader';
import type * as StandIn from './stand-in';

export type {
  Answer,
  CatalogueEntry,
  CatalogueLabel,
  CheckResult,
  DoorStep,
  EmbeddingOptions,
  FamilyCardinality,
  GivenValue,
  HostMessage,
  NativeBody,
  NativeClock,
  NativeConfig,
  NativeContributor,
  NativeExporter,
  NativeFamily,
  NativeHistogramDescription,
  NativeProcessFigure,
  NativePusher,
  NativeRegistry,
  NativeService,
  NativeTicket,
  NativeVisit,
  SanitizerSettings,
  SeriesLimits,
  ShareOptions,
  SummaryDescription,
  Wanted,
} from '../../dist/native';

/** True if a module has the class with which everything begins. */
function isAddon(module: unknown): module is typeof Addon {
  return typeof (module as Partial<typeof Addon> | undefined)?.NativeContributor === 'function';
}

function load(): typeof Addon {
  const loaded = loadAddon(isAddon, messageOf);
  if ('addon' in loaded) return loaded.addon;
  const { explain } = require('./diagnosis') as typeof Diagnosis;
  const error = new ConfigurationError('ADDON_NOT_FOUND', explain(loaded.attempts));
  if (!isDisabled()) throw error;
  warnOnce(`METRICS_ENABLED is false, so the program runs without metrics. ${error.message}`);
  const { createStandIn } = require('./stand-in') as typeof StandIn;
  return createStandIn(error);
}

/** True if METRICS_ENABLED is false, in one of the words that the core reads as false, blanks around it included. */
function isDisabled(): boolean {
  return ['false', '0', 'no', 'off'].includes((process.env.METRICS_ENABLED ?? '').trim().toLowerCase());
}

export const addon = load();
redactWith(addon.redactForLog);

/** The file of the addon, which another thread can load. `undefined` if a bundler or a runtime does not tell it. */
export function addonFile(): string | undefined {
  // Every `require` of Node.js has the same cache. A path that certainly exists makes one.
  const modules = Object.values(createRequire(process.execPath).cache);
  const named = namedFile();
  return modules.find((module) => module?.exports === addon)?.filename ?? (named && resolve(named));
}
