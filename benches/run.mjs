// `npm run bench`: installs the peers, runs each bench on the Node.js version that benches/package.json pins, and
// writes RESULTS.md from this run. Raw samples go to results/, which git ignores. It needs Node.js, npm, the built library, and `wrk` for the endpoint
// bench.

import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = fileURLToPath(new URL('.', import.meta.url));
const require = createRequire(import.meta.url);

const BENCHES = [
  'record',
  'mixed',
  'series',
  'summary',
  'timers',
  'native-histogram',
  'scrape',
  'formats',
  'stall',
  'cluster',
  'processes',
  'push',
  'endpoint',
  'default-metrics',
  'memory',
  'attack',
  'attack-connections',
  'require',
  'auto',
  'llm',
];
const NODE_MAJOR = 24;
/** Above this load average, other work takes about a core from the benches. */
const BUSY_LOAD = 0.7;

const HELP = `Usage: npm run bench -- [options]

  --quick        a few rounds and no large sizes: shows that the benches work, its figures mean little
  --only=name    one bench, or several with commas: ${BENCHES.join(', ')}
  --publish      with --only: writes each bench's report and samples, as benches/ATTACK.md and results/attack.json
  --peers-only   leave our own library out
  --out=folder   where RESULTS.md and results/ go; a complete run writes to benches/, others print their report
  --help         this text
`;

const flags = readFlags();
if (!flags) process.exitCode = 1;
else if (flags.help) process.stdout.write(HELP);
else process.exitCode = await main();

async function main() {
  const names = flags.only?.split(',') ?? BENCHES;
  const unknown = names.filter((name) => !BENCHES.includes(name));
  if (unknown.length > 0) return fail(`Expected --only to name some of ${BENCHES.join(', ')} but received ${unknown}`);
  if (flags.publish && (!flags.only || flags.quick || flags['peers-only'] || flags.out)) {
    return fail('Expected --publish with --only, and without --quick, --peers-only and --out');
  }
  if (!flags['peers-only'] && !existsSync(join(here, '../dist/entry/index.js'))) {
    return fail('dist/entry/index.js is missing: run `npm run build` first, or pass --peers-only');
  }
  installPeers();
  const node = findNode();
  if (!node) return fail(`benches need Node ${NODE_MAJOR} or newer, and npm has no package of it for this platform`);
  const nodeVersion = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();

  // Imported after the peers are installed: these modules read the peers' versions.
  const { versions } = await import('./libraries.mjs');
  const { describeMachine, render } = await import('./report.mjs');
  const machine = describeMachine(nodeVersion, versions());
  say(`Node ${nodeVersion} on ${machine.processor}, ${machine.cores} cores, load average ${machine.load}`);

  const sections = await runAll(node, names);
  if (!sections) return 1;
  if (!flags['peers-only'] && !flags.only) sections.push(...(await rustSection(node)));
  const publish = (section) =>
    publishApart(machine, section, render(machine, [section], remarks([section.name], machine)));
  if (flags.publish) {
    sections.forEach(publish);
    return 0;
  }
  const report = render(machine, sections, remarks(names, machine));
  const out = flags.out ?? (isComplete(names) ? here : undefined);
  // The reports of single benches must not tell another story than the whole report.
  if (out === here) sections.filter(({ name }) => existsSync(reportOf(name))).forEach(publish);
  if (out) save(resolve(out), machine, sections, report);
  else process.stdout.write(report);
  return 0;
}

function readFlags() {
  const boolean = { type: 'boolean', default: false };
  const string = { type: 'string' };
  try {
    return parseArgs({
      options: { help: boolean, quick: boolean, publish: boolean, 'peers-only': boolean, only: string, out: string },
    }).values;
  } catch (error) {
    fail(`${error.message}\n\n${HELP}`);
    return undefined;
  }
}

/** Runs the benches one after the other, so that they do not compete for the processor. */
async function runAll(node, names) {
  const scratch = mkdtempSync(join(tmpdir(), 'prometheus-metrics-bench-'));
  const sections = [];
  const failed = [];
  try {
    for (const name of names) {
      const start = Date.now();
      say(`${name}: running`);
      const json = join(scratch, `${name}.json`);
      const code = await run(node, [join(here, `${name}.mjs`), `--json=${json}`, ...passedOn()]);
      if (code === 0) sections.push(JSON.parse(readFileSync(json, 'utf8')));
      else failed.push(name);
      say(`${name}: ${code === 0 ? 'done' : `failed with ${code}`} after ${Math.round((Date.now() - start) / 1000)} s`);
    }
  } finally {
    rmSync(scratch, { recursive: true });
  }
  if (failed.length === 0) return sections;
  fail(`${failed.join(', ')} failed, so nothing is written: a report is one whole run`);
  return undefined;
}

function run(node, argv) {
  const env = { ...process.env };
  // Flags for npm's Node.js, or settings for a service, would change the measurement.
  delete env.NODE_OPTIONS;
  for (const name of Object.keys(env)) if (name.startsWith('METRICS_')) delete env[name];
  return new Promise((done) => {
    spawn(node, argv, { stdio: ['ignore', 'inherit', 'inherit'], env }).on('close', (code, signal) =>
      done(signal ?? code),
    );
  });
}

function passedOn() {
  return ['quick', 'peers-only'].filter((flag) => flags[flag]).map((flag) => `--${flag}`);
}

/** Runs `npm ci` if the lock file is newer than the installed packages, or nothing is installed. */
function installPeers() {
  const installed = join(here, 'node_modules/.package-lock.json');
  const lock = join(here, 'package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  say('installing the peers (npm ci in benches/)');
  // The packages need no install script. Some peers require a newer Node.js than the one that runs npm; the benches
  // provide it.
  const argv = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--engine-strict=false', '--loglevel=error'];
  execFileSync('npm', argv, { cwd: here, stdio: 'inherit', shell: process.platform === 'win32' });
}

/**
 * The Node.js that is installed with the peers. It comes from the platform's package: the package `node` downloads it
 * in an install script, and those may be disabled.
 */
function findNode() {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  try {
    const manifest = require.resolve(`node-${platform}-${process.arch}/package.json`);
    return join(dirname(manifest), require(manifest).bin.node);
  } catch {
    return Number.parseInt(process.versions.node, 10) >= NODE_MAJOR ? process.execPath : undefined;
  }
}

/** Read by the pinned Node.js, because the Node.js that runs this file may be too old for the reader. */
async function rustSection(node) {
  const source = `import { criterionSection } from ${JSON.stringify(new URL('criterion.mjs', import.meta.url).href)};
    process.stdout.write(JSON.stringify(criterionSection() ?? null));`;
  const section = JSON.parse(execFileSync(node, ['--input-type=module', '-e', source], { encoding: 'utf8' }));
  if (!section) say('no Rust figures: target/criterion is missing (cargo bench)');
  return section ? [section] : [];
}

function remarks(names, { load }) {
  const found = [];
  if (Number(load) > BUSY_LOAD)
    found.push(`The machine was busy (load average ${load}): times are longer and noisier than on an idle machine.`);
  if (flags.quick) found.push('A quick run: it has too few rounds to quote its figures.');
  if (flags['peers-only']) found.push('This run leaves our own library out.');
  if (names.length < BENCHES.length)
    found.push(`Only ${names.length === 1 ? 'this bench' : 'these benches'} ran: ${names.join(', ')}.`);
  return found;
}

function isComplete(names) {
  return !flags.quick && !flags['peers-only'] && BENCHES.every((name) => names.includes(name));
}

function save(folder, machine, sections, report) {
  const results = join(folder, 'results');
  mkdirSync(results, { recursive: true });
  // Remove the samples of earlier runs.
  for (const name of [...BENCHES, 'rust']) rmSync(join(results, `${name}.json`), { force: true });
  for (const { name, samples, verdicts } of sections) {
    writeFileSync(join(results, `${name}.json`), `${JSON.stringify({ machine, verdicts, samples })}\n`);
  }
  writeFileSync(join(folder, 'RESULTS.md'), report);
  say(`wrote ${join(folder, 'RESULTS.md')}`);
}

/** Writes the report of a bench that ran alone to a file of its own. */
function publishApart(machine, { name, samples }, text) {
  const report = reportOf(name);
  const results = join(here, 'results', `${name}.json`);
  mkdirSync(join(here, 'results'), { recursive: true });
  writeFileSync(report, text);
  writeFileSync(results, `${JSON.stringify({ machine, samples })}\n`);
  say(`wrote ${report}`);
}

/** The report of a single bench. */
function reportOf(name) {
  return join(here, `${name.toUpperCase()}.md`);
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  return 1;
}

function say(line) {
  process.stderr.write(`${line}\n`);
}
