/**
 * Turns what V8 counted into lines of the TypeScript: reads the files that Node.js writes with NODE_V8_COVERAGE, and the
 * source maps of the compiler. A line counts if code was made of it: no comment, blank line, type or closing bracket. It
 * is covered if part of it ran in one process at least.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Lines of each source file that is compiled into `dist`.
 *
 * @param reports the folder that NODE_V8_COVERAGE named
 * @param dist the compiled code, with source maps
 * @param ran where it lay when it ran
 * @returns paths of sources, relative to `root`, with a Map of line numbers: true if it is covered
 */
export function typescriptLines({ reports, dist, ran, root }) {
  const scripts = new Map();
  for (const path of readdirSync(dist, { recursive: true })) {
    if (/\.m?js\.map$/.test(path)) scripts.set(path.replace(/\.map$/, ''), readScript(dist, path));
  }
  for (const name of readdirSync(reports)) {
    const { result } = JSON.parse(readFileSync(join(reports, name), 'utf8'));
    for (const { url, functions } of result) scripts.get(pathInDist(url, ran))?.paint(functions);
  }
  const files = new Map();
  for (const [path, { source, lines }] of scripts)
    files.set(relative(root, resolve(ran, dirname(path), source)), lines());
  return files;
}

/** Tests install copies of the package in temporary folders, and one renames `dist` to `out`. */
const COPY = /\/prometheus-metrics-[^/]+\/.*?(?:dist|out)\/(.+)$/;

/** The path of a script below `dist`; undefined for other code. */
function pathInDist(url, dist) {
  if (!url.startsWith('file:')) return undefined;
  const file = fileURLToPath(url);
  return file.startsWith(`${dist}/`) ? file.slice(dist.length + 1) : COPY.exec(file)?.[1];
}

/** Closing brackets run nothing. The place after them, which compilers mark too, is no code. */
const CLOSING = /^[\s})\];,]*$/;

/** One compiled file, which remembers what of it has run. */
function readScript(dist, mapPath) {
  const map = join(dist, mapPath);
  const code = readFileSync(map.replace(/\.map$/, ''), 'utf8');
  const { mappings, sources } = JSON.parse(readFileSync(map, 'utf8'));
  const ran = new Uint8Array(code.length);
  const painted = new Uint8Array(code.length);
  return {
    /** Relative to the compiled file. */
    source: sources[0],
    /** Adds the counts of one process. Inner ranges follow outer ones, so each overrides the part that it covers. */
    paint(functions) {
      painted.fill(0);
      for (const { ranges } of functions) {
        for (const { startOffset, endOffset, count } of ranges) painted.fill(count > 0 ? 1 : 0, startOffset, endOffset);
      }
      for (let offset = 0; offset < ran.length; offset++) ran[offset] |= painted[offset];
    },
    lines() {
      const lines = new Map();
      let start = 0;
      const places = segments(mappings);
      for (const [index, text] of code.split('\n').entries()) {
        const own = places[index] ?? [];
        for (const [order, { column, sourceLine }] of own.entries()) {
          if (CLOSING.test(text.slice(column, own[order + 1]?.column))) continue;
          lines.set(sourceLine, ran[start + column] === 1 || lines.get(sourceLine) === true);
        }
        start += text.length + 1;
      }
      return lines;
    },
  };
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** The places of a source map (ECMA-426): for each line of the compiled code, columns and the lines that they come from. */
function segments(mappings) {
  let sourceLine = 1;
  return mappings.split(';').map((text) => {
    let column = 0;
    const places = [];
    for (const fields of text.split(',').map(decode)) {
      column += fields[0] ?? 0;
      // A shorter segment has no source.
      if (fields.length < 4) continue;
      sourceLine += fields[2];
      places.push({ column, sourceLine });
    }
    return places;
  });
}

/** The numbers of a segment: digits of five bits, the lowest first, with a sixth bit if more follow. */
function decode(segment) {
  const numbers = [];
  let value = 0;
  let shift = 0;
  for (const digit of segment) {
    const bits = DIGITS.indexOf(digit);
    value |= (bits & 31) << shift;
    shift += 5;
    if (bits & 32) continue;
    numbers.push(value & 1 ? -(value >> 1) : value >> 1);
    value = shift = 0;
  }
  return numbers;
}
