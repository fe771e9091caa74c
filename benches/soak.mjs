// `npm run soak`: runs a service for minutes while tenants come and go, sessions expire, worker threads start and end, both
// doors are scraped, and strangers hold connections. Each minute it rests, is measured and prints a line. A violation ends
// the run with exit code 1.

import http from 'node:http';
import { availableParallelism, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { prepare } from '../.ci/prepare.mjs';
import { attacker, KINDS } from './attack-connections-client.mjs';
import { ownRole, serveRole, show, startRole } from './harness.mjs';
import { service, TENANTS, TTL_SECONDS } from './soak-service.mjs';

const HELP = `Usage: npm run soak -- [options]

  --minutes N  how long it runs (default 10, at least 1)
  --help       this text

Prints a line a minute. Exits with 1 if a total is wrong, a tenant or a session stays after its end, too few answers
arrive, or memory, handles, descriptors or threads grow.
`;

const DOORS = ['native', 'javascript'];
const CONNECTIONS = 600;
const SCRAPE_EVERY_MS = 250;
/** The parts of a minute: work alone, work under a flood of each door, and rest until sessions have expired. */
const ALONE_MS = 15_000;
const FLOOD_MS = 15_000;
const REST_MS = (TTL_SECONDS + 8) * 1000;
const LATE_MS = 5000;
/** Growth since the first minute in which the process has done everything once. */
const MB_MAX = 64;
const HANDLES_MAX = 4;
/** Of the answers during floods; outside of them all must arrive. */
const SHARE_MIN = 0.99;

const role = ownRole();
if (role?.serve) serveRole(service());
else if (role?.attack) serveRole(attacker(role.attack));
else process.exitCode = await main();

async function main() {
  const minutes = minutesOf();
  if (minutes === undefined) return process.argv.includes('--help') ? 0 : 2;
  await prepare();
  const server = startRole(import.meta.url, { serve: true }, { execArgv: ['--expose-gc'] });
  const violations = [];
  try {
    const ports = await server.ask('start');
    print([
      'minute',
      'MB',
      'handles',
      'descriptors',
      'threads',
      'turns',
      'sessions',
      'worker calls',
      'answers',
      'load',
    ]);
    print(Array(10).fill('--:'));
    let first;
    for (let minute = 1; minute <= minutes; minute++) {
      const kind = KINDS[(minute - 1) % KINDS.length];
      const answers = await workAMinute(server, ports, kind.id);
      const measured = await server.ask('measure');
      const found = [...judgeAnswers(answers, kind), ...(await judgeTotals(ports, measured))];
      if (first === undefined) first = measured;
      else found.push(...judgeGrowth(first, measured));
      printMinute(minute, measured, answers);
      for (const text of found) process.stdout.write(`VIOLATION in minute ${minute}: ${text}\n`);
      violations.push(...found);
    }
  } finally {
    await server.stop();
  }
  process.stdout.write(violations.length === 0 ? '\nNo violation.\n' : `\n${violations.length} violations.\n`);
  return violations.length === 0 ? 0 : 1;
}

function minutesOf() {
  try {
    const { values } = parseArgs({
      options: { minutes: { type: 'string', default: '10' }, help: { type: 'boolean', default: false } },
    });
    if (values.help) {
      process.stdout.write(HELP);
      return undefined;
    }
    const minutes = Number(values.minutes);
    if (Number.isInteger(minutes) && minutes >= 1) return minutes;
    process.stderr.write(`Expected a whole number from 1 for --minutes but received "${values.minutes}"\n`);
  } catch (error) {
    process.stderr.write(`${error.message}\n\n${HELP}`);
  }
  return undefined;
}

/** Returns how many scrapes and health checks were sent and answered, alone and under floods. */
async function workAMinute(server, ports, kind) {
  await server.ask('work');
  const alone = await askAll(ports, ALONE_MS);
  const flooded = { sent: 0, answered: 0 };
  for (const door of DOORS) {
    // From another address than the scrapes, as strangers.
    const strangers = startRole(import.meta.url, { attack: { kind, addresses: ['127.0.0.2'], count: CONNECTIONS } });
    try {
      await strangers.ask('start', { port: ports[door] });
      const { sent, answered } = await askAll(ports, FLOOD_MS);
      flooded.sent += sent;
      flooded.answered += answered;
      await strangers.ask('stop');
    } finally {
      await strangers.stop();
    }
  }
  await server.ask('rest');
  // Only scrapes check for expiry.
  await askAll(ports, REST_MS);
  return { alone, flooded };
}

/** Asks both doors for a health check and a scrape at regular times. */
async function askAll(ports, durationMs) {
  const pending = [];
  for (const end = performance.now() + durationMs; performance.now() < end; ) {
    for (const door of DOORS) for (const path of ['/health', '/metrics']) pending.push(textOf(ports[door], path));
    await sleep(SCRAPE_EVERY_MS);
  }
  const texts = await Promise.all(pending);
  return { sent: texts.length, answered: texts.filter((text) => text !== undefined).length };
}

/** The body of an answer with status 200; undefined for anything else. */
function textOf(port, path) {
  return new Promise((resolve) => {
    const request = http.get({ port, path, host: '127.0.0.1', agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece) => {
        text += piece;
      });
      response.on('end', () => resolve(response.statusCode === 200 && response.complete ? text : undefined));
      response.on('error', () => resolve(undefined));
    });
    request.on('error', () => resolve(undefined));
    setTimeout(() => {
      resolve(undefined);
      request.destroy();
    }, LATE_MS).unref();
  });
}

function judgeAnswers({ alone, flooded }, { title }) {
  const found = [];
  if (alone.answered !== alone.sent) found.push(`expected ${alone.sent} answers but received ${alone.answered}`);
  const share = flooded.answered / flooded.sent;
  if (share < SHARE_MIN) {
    found.push(`expected ${SHARE_MIN * 100} % of answers under "${title}" but received ${show(share * 100)} %`);
  }
  return found;
}

/** Compares what both doors show with what was counted. The service rests meanwhile. */
async function judgeTotals(ports, measured) {
  const found = [];
  for (const door of DOORS) {
    const text = await textOf(ports[door], '/metrics');
    if (text === undefined) {
      found.push(`${door} door: no answer at rest`);
      continue;
    }
    const expect = (what, wanted, shown) => {
      if (shown !== wanted) found.push(`${door} door: expected ${wanted} for ${what} but it shows ${shown}`);
    };
    const samples = new Map(
      [...text.matchAll(/^(soak_[^ ]*(?:\{.*\})?) (\S+)$/gm)].map(([, series, value]) => [series, Number(value)]),
    );
    const shownOf = (family) => [...samples.keys()].filter((series) => series.startsWith(`${family}{`)).length;
    expect('soak_turns_total', measured.turns, samples.get('soak_turns_total'));
    for (const end of ['exited', 'terminated']) {
      const series = `soak_worker_calls_total{end="${end}"}`;
      expect(series, measured[end], samples.get(series));
    }
    for (const [tenant, calls] of Object.entries(measured.tenants)) {
      const series = `soak_tenant_calls_total{tenant="${tenant}"}`;
      expect(series, calls, samples.get(series));
    }
    expect('the number of tenants', TENANTS, shownOf('soak_tenant_calls_total'));
    expect('the number of sessions after their expiry', 0, shownOf('soak_session'));
  }
  return found;
}

function judgeGrowth(first, now) {
  const limits = { mb: MB_MAX, handles: HANDLES_MAX, descriptors: HANDLES_MAX, threads: 1 };
  return Object.entries(limits)
    .filter(([what, most]) => now[what] - first[what] > most)
    .map(([what, most]) => `expected ${what} to grow by ${most} at most: ${show(first[what])} to ${show(now[what])}`);
}

function printMinute(minute, measured, { alone, flooded }) {
  const { mb, handles, descriptors, threads, turns, sessions, exited, terminated } = measured;
  const answers = `${alone.answered + flooded.answered} of ${alone.sent + flooded.sent}`;
  const load = `${show(loadavg()[0])} on ${availableParallelism()}`;
  print([minute, show(mb), handles, descriptors, threads, turns, sessions, exited + terminated, answers, load]);
}

function print(cells) {
  process.stdout.write(`| ${cells.join(' | ')} |\n`);
}
