// Formats RESULTS.md from the sections of one run. It measures and judges nothing.

import { execFileSync } from 'node:child_process';
import { arch, availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';

/** The machine of the run, read before the first bench. */
export function describeMachine(nodeVersion, versions) {
  return {
    commit: commitOf(),
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${type()} ${release()} ${arch()}`,
    load: loadavg()[0].toFixed(2),
    node: nodeVersion,
    versions,
  };
}

/** The report as Markdown. `remarks` are sentences about the run, for example that it was a short one. */
export function render(machine, sections, remarks) {
  return [
    '# Results',
    '',
    'Written by `npm run bench` from one run. Change the scripts in benches/, not this file. The raw samples are assets of a release.',
    ...remarks.flatMap((remark) => ['', `**${remark}**`]),
    '',
    ...renderMachine(machine),
    ...renderVerdicts(sections),
    ...sections.flatMap(renderSection),
  ].join('\n');
}

/** The commit that is measured, and whether files differ from it. */
function commitOf() {
  try {
    const git = (...args) => execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' }).trim();
    return git('rev-parse', 'HEAD') + (git('status', '--porcelain', '--untracked-files=no') ? ', with changes' : '');
  } catch {
    return 'unknown: not a git checkout';
  }
}

function renderMachine({ commit, date, processor, cores, memory, system, load, node, versions }) {
  const facts = [
    ['Commit', commit],
    ['Date', `${date} UTC`],
    ['Processor', `${processor}, ${cores} cores`],
    ['Memory', memory],
    ['System', `${system}, load average before the run ${load}`],
    ['Node', node],
    ...Object.entries(versions),
  ];
  return [...renderTable(['Machine and versions', ''], facts), ''];
}

function renderVerdicts(sections) {
  const rows = sections.flatMap(({ title, verdicts }) =>
    verdicts.map(({ work, reach, measured, met, missedBy }) => [
      title,
      work,
      reach,
      measured,
      met === null ? 'not measured' : met ? 'yes' : `**no**, by ${missedBy}`,
    ]),
  );
  if (rows.length === 0) return [];
  const met = sections.flatMap(({ verdicts }) => verdicts).filter((verdict) => verdict.met).length;
  return [
    '## Targets',
    '',
    `${met} of ${rows.length} met.`,
    '',
    ...renderTable(['', 'work', 'target', 'measured', 'met'], rows),
    '',
  ];
}

function renderSection({ title, about, tables }) {
  return [
    `## ${title}`,
    '',
    about,
    '',
    ...tables.flatMap(({ caption, columns, rows }) => [`### ${caption}`, '', ...renderTable(columns, rows), '']),
  ];
}

function renderTable(columns, rows) {
  const line = (cells) => `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`;
  const right = columns.map((_, index) =>
    index > 0 && rows.every((row) => /^[\d–]/.test(row[index])) ? '--:' : '---',
  );
  return [line(columns), line(right), ...rows.map(line)];
}
