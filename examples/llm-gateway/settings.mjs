// Reads and checks the settings from the environment and the command line.

import { parseArgs } from 'node:util';
import { SettingError } from './listening.mjs';

export const USAGE = `An LLM gateway and agents with Prometheus metrics, simulated model servers and a small load.

Usage: node main.mjs [--no-load] [--log-calls] [--help]

  PORT                   port of the gateway, 0 for any free one (8080)
  METRICS_ENDPOINT_PORT  port of /metrics, /health and /ready, 0 for any free one (9090)
  GATEWAY_HOST           address of both servers (127.0.0.1)
  GATEWAY_TIMEOUT_MS     time limit of one request (5000)
  GATEWAY_LOAD           on or off: send requests and run agents (on; --no-load sets off)
  GATEWAY_LOG            summary or calls: a summary line, or one JSON line per call (summary; --log-calls sets calls)
`;

export function readSettings(args, env) {
  const flags = parseFlags(args);
  return {
    help: flags.help === true,
    host: env.GATEWAY_HOST || '127.0.0.1',
    gatewayPort: integer(env, 'PORT', { fallback: 8080, min: 0, max: 65535 }),
    metricsPort: integer(env, 'METRICS_ENDPOINT_PORT', { fallback: 9090, min: 0, max: 65535 }),
    timeoutMs: integer(env, 'GATEWAY_TIMEOUT_MS', { fallback: 5000, min: 1, max: 3600000 }),
    load: !flags['no-load'] && choice(env, 'GATEWAY_LOAD', ['on', 'off']) === 'on',
    logCalls: flags['log-calls'] === true || choice(env, 'GATEWAY_LOG', ['summary', 'calls']) === 'calls',
  };
}

function parseFlags(args) {
  const flag = { type: 'boolean' };
  try {
    return parseArgs({ args, options: { 'no-load': flag, 'log-calls': flag, help: { ...flag, short: 'h' } } }).values;
  } catch (error) {
    throw new SettingError(`${error.message}\n\n${USAGE}`);
  }
}

// An empty variable counts as not set, as in most shell scripts.
function integer(env, name, { fallback, min, max }) {
  const text = env[name];
  if (text === undefined || text === '') return fallback;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max) {
    throw new SettingError(`Expected a whole number from ${min} to ${max} for ${name} but received "${text}".`);
  }
  return value;
}

function choice(env, name, allowed) {
  const text = env[name];
  if (text === undefined || text === '') return allowed[0];
  if (!allowed.includes(text)) {
    throw new SettingError(`Expected ${allowed.join(' or ')} for ${name} but received "${text}".`);
  }
  return text;
}
