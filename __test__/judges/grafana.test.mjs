// Grafana's types accept the dashboards: every field and every word is known.

import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { EVERY_TYPE } from '../cli/support/every-type.mjs';
import { run as command } from '../cli/support/program.mjs';
import { readDashboards } from '../deploy/support/dashboards.mjs';
import { run, temporaryFolder } from './support/processes.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const types = fileURLToPath(new URL('grafana/', import.meta.url));

/** The compiler's messages about dashboards, by name. */
async function verdictOn(t, dashboards) {
  const folder = await temporaryFolder(t);
  await symlink(join(types, 'node_modules'), join(folder, 'node_modules'));
  for (const [name, dashboard] of dashboards) {
    const source = `import type { Dashboard } from '${join(types, 'dashboard')}';
export const dashboard: Dashboard = ${JSON.stringify(dashboard, null, 2)};
`;
    await writeFile(join(folder, `${name}.ts`), source);
  }
  const paths = { '@grafana/schema/dist/*': [join(types, 'node_modules/@grafana/schema/dist/*')] };
  const compilerOptions = {
    strict: true,
    noEmit: true,
    module: 'esnext',
    moduleResolution: 'bundler',
    types: [],
    paths,
  };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
  return run(join(root, 'node_modules/.bin/tsc'), ['-p', folder]);
}

test('Grafana knows every field of the dashboards', async (t) => {
  const dashboards = await readDashboards();
  const named = [...dashboards].map(([file, dashboard]) => [file.replace('.json', ''), dashboard]);
  const { code, stdout, stderr } = await verdictOn(t, named);
  t.deepEqual({ code, stdout, stderr }, { code: 0, stdout: '', stderr: '' });
});

test('Grafana knows every field of a dashboard that the command writes', async (t) => {
  const written = await command(['dashboard', '-'], { input: EVERY_TYPE });
  const { code, stdout, stderr } = await verdictOn(t, [['written', JSON.parse(written.stdout)]]);
  t.deepEqual({ code, stdout, stderr }, { code: 0, stdout: '', stderr: '' });
});

test('errors in a dashboard are found', async (t) => {
  const overview = (await readDashboards()).get('llm-overview.json');
  const changed = (change) => {
    const copy = structuredClone(overview);
    const panelOf = (type) => copy.panels.find((panel) => panel.type === type);
    change(copy, panelOf);
    return copy;
  };
  const wrong = [
    ['field', changed((copy) => Object.assign(copy, { refesh: '30s' }))],
    ['option', changed((_, panelOf) => Object.assign(panelOf('stat').options, { colourMode: 'value' }))],
    ['word', changed((_, panelOf) => Object.assign(panelOf('stat').options, { colorMode: 'loud' }))],
    ['custom', changed((_, panelOf) => Object.assign(panelOf('timeseries').fieldConfig.defaults.custom, { fill: 1 }))],
    ['panel', changed((_, panelOf) => Object.assign(panelOf('timeseries'), { type: 'graph' }))],
    ['variable', changed((copy) => Object.assign(copy.templating.list[0], { type: 'source' }))],
    ['query', changed((_, panelOf) => delete panelOf('heatmap').targets[0].expr)],
  ];
  const { stdout } = await verdictOn(t, wrong);
  for (const [name] of wrong) t.regex(stdout, new RegExp(`${name}\\.ts\\(\\d+,\\d+\\): error`), name);
});
