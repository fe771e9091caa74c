// The load of the endpoint bench: Debian's `wrk`, in a process of its own. It knows an address and headers, and nothing
// of what answers.

import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const script = fileURLToPath(new URL('endpoint.lua', import.meta.url));

/** More than one, so that a door is never idle between two requests; few, so that they do not queue for long. */
export const CONNECTIONS = 4;

/** Well above what the slowest library needs for its largest exposition, four times over. */
const TIMEOUT_S = 30;

/** Throws where wrk cannot be run, and says how to get it. */
export function requireWrk() {
  // Asked for its version, wrk ends with 1: only whether it starts matters.
  if (!spawnSync('wrk', ['--version']).error) return;
  throw new Error(
    'wrk is missing, and it makes the load: `apt install wrk` (Debian, Ubuntu), `dnf install wrk` (Fedora) or ' +
      '`brew install wrk` (macOS); on Windows run the benches in WSL',
  );
}

/**
 * Asks for `url` again and again for a time: `{rate, p50, p99, max, megabytes}`, requests and megabytes a second,
 * latencies in milliseconds. Throws when any answer was not a success.
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
