// The load of the endpoint bench: runs Debian's `wrk` in its own process. It knows only an address and headers.

import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const script = fileURLToPath(new URL('endpoint.lua', import.meta.url));

/** More than one, so that a door never waits between two requests. Few, so that requests do not queue for long. */
export const CONNECTIONS = 4;

/** Well above four times what the slowest library needs for its largest exposition. */
const TIMEOUT_S = 30;

/** Throws if wrk cannot be run, and says how to install it. */
export function requireWrk() {
  // `wrk --version` exits with 1, so only whether it starts is checked.
  if (!spawnSync('wrk', ['--version']).error) return;
  throw new Error(
    'The endpoint bench needs wrk, which is missing: `apt install wrk` (Debian, Ubuntu), `dnf install wrk` (Fedora) or ' +
      '`brew install wrk` (macOS); on Windows run the benches in WSL',
  );
}

/**
 * Requests `url` repeatedly for a time. Returns `{rate, p50, p99, max, megabytes}`: requests and megabytes per second,
 * and latencies in milliseconds. Throws if an answer was not a success.
 */
export async function load(url, headers, seconds) {
  const { stdout } = await execute('wrk', [
    ...['-t', '1', '-c', String(CONNECTIONS), '-d', `${seconds}s`, '--timeout', `${TIMEOUT_S}s`, '--latency'],
    ...['-s', script],
    ...Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]),
    url,
  ]);
  const found = JSON.parse(stdout.slice(stdout.lastIndexOf('{')));
  const { requests, bytes, p50, p99, max, refused, failed } = found;
  if (refused + failed > 0) throw new Error(`Expected every scrape to succeed but ${refused + failed} did not`);
  if (requests === 0) throw new Error(`Expected scrapes to be answered within ${seconds} s but received none`);
  return { rate: requests / found.seconds, megabytes: bytes / found.seconds / 1e6, p50, p99, max };
}
