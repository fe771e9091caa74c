/**
 * Finds phrases that make prose hard to read, in every text file that git tracks. Each phrase stands in `PHRASES` with the
 * reason and with what to write instead. Fails if it finds one; `--count` prints how many there are in each folder.
 *
 * A line that quotes somebody else's text is exempt if it, or the line before it, has `plain-language: quoted`.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PHRASES = [
  {
    pattern: /(?<!\bthere )\b(?:is|are|was|were|be) none\b/,
    reason:
      'the reader has to look back for the noun: write *invalid*, *unknown*, *missing*, *not set*, *has no label*',
  },
  {
    pattern:
      /\b(?:[Ww]hat|[Ww]ho|those that|[Tt]hat) (?:is|are|was|were) no (?!longer\b|more\b)|\b[Ww]hat (?:has|have) no\b/,
    reason: 'name the thing and its state: "an invalid label name", not "what is no label name"',
  },
  { pattern: /\bnobody\b/i, reason: 'name the actor: no caller, no thread, no scraper' },
  // "whatever the outcome" stands in HELP texts, which are part of an exposition and stay as they are.
  {
    pattern: /\b(?:whoever|whosoever|whatever(?! the outcome))\b/i,
    reason: 'name the actor or the thing: the caller, every value',
  },
  { pattern: /\bof which there (?:is|are)\b/i, reason: 'say what exists, in a sentence of its own' },
  {
    pattern: /^(?:What|Who|Whose|Which)\b/,
    reason: 'a header says what the module does, with a verb: "Finds the series of a label set."',
    headerOf: /\.(?:ts|mts|mjs|cjs|rs|sh)$/,
  },
];

/** Texts that this project did not write, and data. */
const SKIPPED =
  /(^|\/)(package-lock\.json|Cargo\.lock|LICENSE|go\.sum|.*\.(json|prom|om|png|webp|ico|pem|txt|bin|node))$/;
const QUOTED = 'plain-language: quoted';
const self = fileURLToPath(import.meta.url);
const root = join(self, '../..');

const files = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' })
  .split('\0')
  .filter((file) => file !== '' && !SKIPPED.test(file) && join(root, file) !== self);
const found = files.flatMap(faultsOf);
if (process.argv.includes('--count')) printCounts();
else printFaults();

/** The faults of one file: where, which line, and why. */
function faultsOf(file) {
  let text;
  try {
    text = readFileSync(join(root, file), 'utf8');
  } catch {
    // Deleted, and not yet committed.
    return [];
  }
  const lines = text.split('\n');
  const bare = lines.map(withoutMarkers);
  const header = headerLine(lines, bare);
  return lines.flatMap((line, index) => {
    if (line.includes(QUOTED) || lines[index - 1]?.includes(QUOTED)) return [];
    return PHRASES.filter(({ pattern, headerOf }) => {
      if (headerOf !== undefined) return index === header && headerOf.test(file) && pattern.test(bare[index]);
      return pattern.test(bare[index]) || spans(pattern, bare[index], bare[index + 1]);
    }).map(({ reason }) => ({ file, at: `${file}:${index + 1}`, line: line.trim(), reason }));
  });
}

/** A line without what makes it a comment, a list or a quotation. */
function withoutMarkers(line) {
  return line.replace(/^\s*(?:\/\*\*|\/\/[/!]?|\*|#+|>|-)?\s*/, '').trimEnd();
}

/** The first line of the comment that opens a file, or -1. */
function headerLine(lines, bare) {
  const first = lines.findIndex((line, index) => !line.startsWith('#!') && bare[index] !== '');
  return first !== -1 && /^\s*(?:\/\*|\/\/|\*|#)/.test(lines[first]) ? first : -1;
}

/** Whether a phrase begins on one line and ends on the next. */
function spans(pattern, line, next) {
  if (line === '' || next === undefined || next === '' || pattern.test(next)) return false;
  const match = pattern.exec(`${line} ${next}`);
  return match !== null && match.index < line.length && match.index + match[0].length > line.length;
}

function printFaults() {
  for (const { at, line, reason } of found) console.error(`${at}: ${line}\n    ${reason}`);
  if (found.length === 0) return;
  console.error(`✗ ${found.length} phrases that are hard to read. CONTRIBUTING.md says how this project writes.`);
  process.exitCode = 1;
}

function printCounts() {
  const counts = new Map();
  for (const { file } of found) {
    const folder = file.split('/').slice(0, -1).slice(0, 3).join('/') || '.';
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  for (const [folder, count] of [...counts].sort(([, a], [, b]) => b - a)) {
    console.log(`${String(count).padStart(5)}  ${folder}`);
  }
  console.log(`${String(found.length).padStart(5)}  all`);
}
