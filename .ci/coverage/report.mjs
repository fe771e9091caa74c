/** Compares counted lines with the floors, and says what is below them. */
import { COMPONENTS, componentOf, floorOf, OTHER_FILES, OVERALL } from './floors.mjs';

/** `covered` of `all` lines, in percent; a file without code has all that it can have. */
const percent = ({ covered, all }) => (all === 0 ? 100 : (covered * 100) / all);
/** Rounded down: what is shown as the floor has reached it. */
const shown = (counts) => `${(Math.floor(percent(counts) * 10) / 10).toFixed(1)} %`;

const counted = (lines) => ({ covered: [...lines.values()].filter(Boolean).length, all: lines.size });
const sum = (files) =>
  files.reduce(({ covered, all }, file) => ({ covered: covered + file.covered, all: all + file.all }), {
    covered: 0,
    all: 0,
  });

/**
 * @param lines by language: paths, each with a Map of line numbers that is true for covered ones
 * @returns `files` with their floors, `totals` by language, `components` of the specification, and `failures`: one row for
 *   all that is below its floor
 */
export function summary(lines) {
  const languages = Object.entries(lines).map(([language, files]) => {
    const paths = [...files.keys()].sort();
    return { language, files: paths.map((path) => ({ path, lines: files.get(path), ...counted(files.get(path)) })) };
  });
  const files = languages.flatMap((language) => language.files);
  for (const file of files) file.floor = floorOf(file.path);
  const totals = languages.map(({ language, files }) => ({ path: language, floor: OVERALL[language], ...sum(files) }));
  const components = COMPONENTS.map((component) => {
    const own = files.filter(({ path }) => componentOf(path) === component);
    const least = own.reduce((least, file) => (percent(file) < percent(least) ? file : least), own[0]);
    return { ...component, least, ...sum(own) };
  });
  const failures = [...files, ...totals].filter((row) => percent(row) < row.floor);
  // A component without files is a mistake in the list, not a success.
  for (const { name, floor, files: wanted } of components) {
    for (const path of wanted) {
      const isThere = files.some((file) => file.path === path || (path.endsWith('/') && file.path.startsWith(path)));
      if (!isThere) failures.push({ path: `${path} (of ${name}): no lines were counted`, floor, covered: 0, all: 1 });
    }
  }
  return { files, totals, components, failures };
}

/** The text of a measurement: one line for each language, and a table of what is below its floor. */
export function report({ files, totals, failures }) {
  const lines = totals.map((total) => `${total.path}: ${shown(total)} of ${total.all} lines (floor ${total.floor} %)`);
  if (failures.length === 0) return [...lines, `All ${files.length} files have reached their floors.`].join('\n');
  const rows = failures.map((row) => [shown(row), `${row.floor} %`, row.path]);
  const table = [['lines', 'floor', ''], ...rows].map(
    ([is, floor, path]) => `${is.padStart(8)} ${floor.padStart(6)}  ${path}`,
  );
  return [...lines, '', '✗ Below the floor:', ...table].join('\n');
}

/** The files below a path with their lines that no test runs, `12-15, 20`. */
export function missing({ files }, start) {
  const rows = files.filter(({ path, covered, all }) => path.startsWith(start) && covered < all);
  return rows.map((file) => {
    const numbers = [...file.lines].filter(([, isCovered]) => !isCovered).map(([line]) => line);
    return `${shown(file).padStart(8)}  ${file.path}: ${ranges(numbers.sort((a, b) => a - b))}`;
  });
}

function ranges(numbers) {
  const found = [];
  for (const number of numbers) {
    const last = found.at(-1);
    if (last?.[1] === number - 1) last[1] = number;
    else found.push([number, number]);
  }
  return found.map(([from, to]) => (from === to ? from : `${from}-${to}`)).join(', ');
}

/** The tables of docs/acceptance.md. */
export function tables({ totals, components }) {
  return [
    '| language | lines | run by tests | floor |',
    '|---|---|---|---|',
    ...totals.map((total) => `| ${total.path} | ${total.all} | ${shown(total)} | ${total.floor} % |`),
    '',
    '| component | run by tests | file with the least | floor of each file |',
    '|---|---|---|---|',
    ...components.map(
      (row) => `| ${row.name} | ${shown(row)} | \`${row.least.path}\` ${shown(row.least)} | ${row.floor} % |`,
    ),
    `| every other file | | | ${OTHER_FILES} % |`,
  ].join('\n');
}
