/**
 * Reads the settings of an endpoint: `METRICS_*` from the environment, and options, which override it. The core defines
 * and checks them, and the build makes their types from its list; no setting is named here.
 */
import type { ConfigValues, EndpointSettings, ListenerSettings } from '../dist/settings';
import { describe, native } from './errors';
import { addon, type GivenValue, type NativeConfig } from './native/addon';

export type { EndpointSettings, ListenerSettings } from '../dist/settings';

/** All settings; a setting that is not set has its default. Durations are milliseconds, sizes bytes. */
export type MetricsConfig = Readonly<ConfigValues>;

/**
 * Reads `METRICS_*`, checked and typed. Other variables are ignored; an empty variable counts as not set.
 *
 * @param env @default process.env
 * @throws {ConfigurationError} `INVALID_CONFIG` with the variable, the expected and the received value
 */
export function configFromEnv(env: Readonly<Record<string, string | undefined>> = process.env): MetricsConfig {
  return fromEnvironment(env).values();
}

/** Settings from the environment, and the options that override them. @internal */
export function nativeConfig(options: EndpointSettings & ListenerSettings): NativeConfig {
  const config = fromEnvironment(process.env);
  for (const name of optionNames()) {
    const value = (options as Record<string, unknown>)[name];
    if (value !== undefined) native(() => config.set(name, given(value)));
  }
  return config;
}

function fromEnvironment(env: Readonly<Record<string, string | undefined>>): NativeConfig {
  const flat: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (name.startsWith('METRICS_') && value !== undefined) flat.push(name, String(value));
  }
  return native(() => new addon.NativeConfig(flat));
}

let names: readonly string[] | undefined;

function optionNames(): readonly string[] {
  names ??= addon.NativeConfig.settings().map(({ option }) => option);
  return names;
}

function given(value: unknown): GivenValue {
  if (typeof value === 'string') return { text: value };
  if (typeof value === 'number') return { number: value };
  if (typeof value === 'boolean') return { flag: value };
  if (Array.isArray(value) && value.every((entry) => typeof entry === 'string')) return { list: value };
  return { other: describe(value) };
}
