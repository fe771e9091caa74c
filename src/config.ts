/**
 * Reads the settings of an endpoint: `METRICS_*` from the environment, and options, which override it. The core defines
 * and checks them, and the build makes their types from its list; no setting is named here.
 */
import type { ConfigValues, EndpointSettings, ListenerSettings, PusherSettings } from '../dist/settings';
import { ConfigurationError, describe, native, refuseOption } from './errors';
import { addon, type GivenValue, type NativeConfig } from './native/addon';
import { checkOptionNames } from './options';
import { warnOnce } from './warnings';

export type { EndpointSettings, ListenerSettings, PusherSettings } from '../dist/settings';

/** All settings; a setting that is not set has its default. Durations are milliseconds, sizes bytes. */
export interface MetricsConfig extends Readonly<ConfigValues> {}

/**
 * Reads `METRICS_*`, checked and typed. An empty variable counts as not set. Unknown variables are ignored, with a warning
 * if a name looks like a misspelled setting; so is `METRICS_ENDPOINT_PORT` if Kubernetes has set it for a Service.
 * The result may be passed to `startExporter()` and to handlers, which ignore the settings of a listener in it.
 *
 * Reads the named files too, so it refuses what an exporter would refuse before it binds its address.
 *
 * @param env @default process.env
 * @throws {ConfigurationError} `INVALID_CONFIG` with the variable, the expected and the received value
 */
export function configFromEnv(env: Readonly<Record<string, string | undefined>> = process.env): MetricsConfig {
  if (typeof env !== 'object' || env === null) refuseOption('an object of variables', 'env', env);
  const config = fromEnvironment(env, true);
  native(() => config.check());
  const values = config.values();
  if (!isFromConfig(values)) listenerValues.push(listenerPart(values));
  return values;
}

/** The listener's settings in results of `configFromEnv()`, by which handlers recognize such a result. */
const listenerValues: unknown[][] = [];

function listenerPart(options: object): unknown[] {
  const listeners = settings().filter(isListeners);
  return listeners.map(({ option }) => optionOf(options, option));
}

function isFromConfig(options: object): boolean {
  const part = listenerPart(options);
  return listenerValues.some((values) => values.every((value, at) => Object.is(value, part[at])));
}

/**
 * Settings of a pusher from the environment, and the options that override them.
 *
 * @param more names of its options that are not settings
 * @throws {ConfigurationError} `INVALID_CONFIG` for an unknown option, or an invalid option or variable
 * @internal
 */
export function pusherConfig(options: PusherSettings, more: readonly string[]): NativeConfig {
  const own = settings().filter(isPushers);
  // `pushUrl` is the option `url`.
  const nameOf = (option: string) => option.charAt(4).toLowerCase() + option.slice(5);
  const names = own.map(({ option }) => nameOf(option));
  checkOptionNames(options, { of: 'startPusher', names: [...names, ...more] });
  const config = fromEnvironment(process.env, false);
  for (const { option } of own) {
    const name = nameOf(option);
    const value = optionOf(options, name);
    if (value === undefined) continue;
    const isPairs = name === 'labels' || name === 'headers';
    native(() => config.set(option, isPairs ? { list: pairs(name, value) } : given(value)));
  }
  native(() => config.readOtel(flat(process.env, 'OTEL_')));
  return config;
}

function pairs(name: string, value: unknown): string[] {
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : undefined;
  if (entries === undefined || entries.some(([, text]) => typeof text !== 'string')) {
    refuseOption('an object of strings', name, value);
  }
  return entries.map(([key, text]) => `${key}=${text}`);
}

/** What takes the settings: a function with a listener of its own, or a handler on the application's server. */
export interface SettingsTaker {
  /** The function, as messages show it. */
  readonly of: string;
  readonly hasListener: boolean;
  /** Names of its options that are not settings. */
  readonly more: readonly string[];
}

/**
 * Settings from the environment, and the options that override them.
 *
 * @throws {ConfigurationError} `INVALID_CONFIG` for an unknown option, or an invalid option or variable
 * @internal
 */
export function nativeConfig(options: EndpointSettings & ListenerSettings, taker: SettingsTaker): NativeConfig {
  const names = settings()
    .filter((setting) => !isPushers(setting))
    .map(({ option }) => option);
  if (!taker.hasListener) refuseListenerOptions(options, taker.of);
  checkOptionNames(options, { of: taker.of, names: [...names, ...taker.more] });
  const config = fromEnvironment(process.env, taker.hasListener);
  for (const name of names) {
    const value = optionOf(options, name);
    if (value !== undefined) native(() => config.set(name, given(value)));
  }
  return config;
}

/**
 * A handler has no port, no TLS and so on. Ignoring these options would leave the endpoint open. A result of
 * `configFromEnv()` has them too, possibly spread into other options: there they are ignored, as the variables are.
 */
function refuseListenerOptions(options: object, of: string): void {
  const wrong = settings().find((setting) => isListeners(setting) && optionOf(options, setting.option) !== undefined);
  if (wrong === undefined || isFromConfig(options)) return;
  throw new ConfigurationError(
    'INVALID_CONFIG',
    `Expected options of a handler for ${of} but received "${wrong.option}", which only startExporter() has: the handler uses your own server's listener`,
  );
}

function fromEnvironment(env: Readonly<Record<string, string | undefined>>, hasListener: boolean): NativeConfig {
  const variables = flat(env, 'METRICS_');
  for (const warning of addon.NativeConfig.warnings(variables, hasListener)) warnOnce(warning);
  return native(() => new addon.NativeConfig(variables, hasListener));
}

/** Names and values in turn. */
function flat(env: Readonly<Record<string, string | undefined>>, prefix: string): string[] {
  return Object.entries(env).flatMap(([name, value]) =>
    name.startsWith(prefix) && value !== undefined ? [name, String(value)] : [],
  );
}

type SettingDescription = ReturnType<typeof addon.NativeConfig.settings>[number];

let known: readonly SettingDescription[] | undefined;

function settings(): readonly SettingDescription[] {
  known ??= addon.NativeConfig.settings();
  return known;
}

const isPushers = ({ options }: SettingDescription): boolean => options === 'pusher';

const isListeners = ({ options }: SettingDescription): boolean => options === 'exporter';

function optionOf(options: object, name: string): unknown {
  return (options as Readonly<Record<string, unknown>>)[name];
}

function given(value: unknown): GivenValue {
  if (typeof value === 'string') return { text: value };
  if (typeof value === 'number') return { number: value };
  if (typeof value === 'boolean') return { flag: value };
  if (Array.isArray(value) && value.every((entry) => typeof entry === 'string')) return { list: value };
  return { other: describe(value) };
}
