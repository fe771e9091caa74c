/**
 * Settings of an endpoint: `METRICS_*` from the environment, and options, which override it. What each may be, the
 * core's table says; here they get types.
 */
import { describe, native } from './errors';
import { addon, type ConfigValues, type GivenValue, type NativeConfig } from './native/addon';

/** Settings that every door has. Each overrides the environment variable that docs/endpoint.md names beside it. */
export interface EndpointSettings {
  /** Whether there is an endpoint at all. @default true */
  enabled?: boolean | undefined;
  /** The path of the exposition. @default '/metrics' */
  path?: string | undefined;
  /** How long an exposition is served again, in milliseconds; 0 switches the cache off. @default 0 */
  cacheTtlMs?: number | undefined;
  /** Switches the cache on, for a second where no time is given, or off. @default whether cacheTtlMs is given */
  cacheEnabled?: boolean | undefined;
  /** Whether bodies are gzipped for scrapers that take it. @default true */
  compressionEnabled?: boolean | undefined;
  /** Smaller bodies stay as they are, in bytes. @default 1024 */
  compressionMinSize?: number | undefined;
  /** Requests a second and client; health is exempt. @default no limit */
  rateLimitRps?: number | undefined;
  /** Requests of one client at once. @default twice rateLimitRps */
  rateLimitBurst?: number | undefined;
  /** Whether expositions end with what the endpoint says of itself (`llmdevops_metrics_*`). @default true */
  selfMetrics?: boolean | undefined;
  /** How long collectors may take where the scraper does not say, in milliseconds. @default 10000 */
  timeoutMs?: number | undefined;
  /** How long a readiness check may take, in milliseconds. @default 1000 */
  readyTimeoutMs?: number | undefined;
  /** Tokens that are let in (`Authorization: Bearer …`). */
  bearerTokens?: readonly string[] | undefined;
  /** A file whose lines are tokens that are let in. */
  bearerTokenFile?: string | undefined;
  /** Users that are let in, as `name:bcrypt-hash`. */
  basicUsers?: readonly string[] | undefined;
  /** Whether `/health` and `/ready` are guarded like the rest. @default false */
  protectHealth?: boolean | undefined;
  /** Wrong credentials a minute and client before further ones are refused unseen. @default 30 */
  authFailuresPerMinute?: number | undefined;
  /** Addresses and CIDR blocks that are let in. @default all */
  allowlist?: readonly string[] | undefined;
  /** Addresses and CIDR blocks of proxies whose `X-Forwarded-For` is believed. @default none */
  trustedProxies?: readonly string[] | undefined;
  /** A web configuration file of exporter-toolkit: users and headers; on an exporter TLS too. */
  webConfigFile?: string | undefined;
  /** Bytes of expositions in memory, above which scrapes are answered with 503. @default 268435456 */
  maxBodyBytes?: number | undefined;
}

/** Settings of an exporter's listener. */
export interface ListenerSettings {
  /** The address that is listened on. @default '0.0.0.0' */
  host?: string | undefined;
  /** The port that is listened on; 0 takes a free one. @default 9090 */
  port?: number | undefined;
  /** A Unix socket that is listened on instead. */
  socket?: string | undefined;
  /** Whether process metrics are collected too. @default false */
  collectorsProcess?: boolean | undefined;
  /** Whether Node.js' own metrics are collected too. @default false */
  collectorsRuntime?: boolean | undefined;
  /** How late the event loop may be before `/health` answers 503, in milliseconds. @default 5000 */
  stallAfterMs?: number | undefined;
  /** The certificate chain, a PEM file; read again when it changes. */
  tlsCertFile?: string | undefined;
  /** The certificate's key, a PEM file. */
  tlsKeyFile?: string | undefined;
  /** The authorities of client certificates, a PEM file. */
  tlsClientCaFile?: string | undefined;
  /** Whether clients need a certificate. @default 'RequireAndVerifyClientCert' where tlsClientCaFile is set */
  tlsClientAuth?: 'NoClientCert' | 'VerifyClientCertIfGiven' | 'RequireAndVerifyClientCert' | undefined;
  /** Connections at once; further ones are closed. @default 512 */
  maxConnections?: number | undefined;
  /** Bytes of a request's head; larger ones are answered with 431. @default 16384 */
  maxHeaderBytes?: number | undefined;
  /** Headers of a request; more are answered with 431. @default 64 */
  maxHeaders?: number | undefined;
  /** How long a request's head may take to come, in milliseconds. @default 10000 */
  headerTimeoutMs?: number | undefined;
  /** How long a connection may be without a request, in milliseconds. @default 120000 */
  idleTimeoutMs?: number | undefined;
  /** How long a client may take to read an answer, in milliseconds. @default 30000 */
  writeTimeoutMs?: number | undefined;
}

/** All settings, with the defaults of those that nobody gave. Durations are milliseconds, sizes bytes. */
export type MetricsConfig = Readonly<ConfigValues>;

/**
 * Reads `METRICS_*`, checked and typed. Other variables are left alone, and an empty one is none.
 *
 * @param env @default process.env
 * @throws {ConfigurationError} `INVALID_CONFIG`, naming the variable, what it expected and what it got
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
