/**
 * Loads the native addon: the file built in this checkout, or the prebuilt package of this platform. Knows nothing of
 * what the addon does.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type * as Addon from '../../dist/native';
import { ConfigurationError } from '../errors';

export type {
  Answer,
  CatalogueEntry,
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
  NativeProcessFigure,
  NativeRegistry,
  NativeService,
  NativeTicket,
  NativeVisit,
  SanitizerSettings,
  SeriesLimits,
  Wanted,
} from '../../dist/native';

/** True on a Linux system with musl, whose loader is in `/lib`. */
function isMusl(): boolean {
  if (process.platform !== 'linux') return false;
  try {
    return readdirSync('/lib').some((file) => file.startsWith('ld-musl-'));
  } catch {
    return false;
  }
}

/** The platform as the names of the prebuilt packages end: `linux-x64-gnu`, `darwin-arm64`, `win32-x64-msvc`. */
function platformName(): string {
  const abi = { linux: isMusl() ? '-musl' : '-gnu', win32: '-msvc' }[process.platform as string] ?? '';
  return `${process.platform}-${process.arch}${abi}`;
}

function load(): typeof Addon {
  const platform = platformName();
  const candidates = [
    join(__dirname, '..', `prometheus-metrics.${platform}.node`),
    `@llm-devops/prometheus-metrics-${platform}`,
  ];
  const failures: string[] = [];
  for (const candidate of candidates) {
    try {
      return require(candidate) as typeof Addon;
    } catch (error) {
      failures.push(`  ${candidate}: ${(error as Error).message.split('\n')[0]}`);
    }
  }
  throw new ConfigurationError(
    'ADDON_NOT_FOUND',
    `@llm-devops/prometheus-metrics has no addon for ${platform}. Tried:\n${failures.join('\n')}\n` +
      'Reinstall without --omit=optional, or build it from source with `npm run build` (needs Rust).',
  );
}

export const addon = load();
