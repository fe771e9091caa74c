// Tests default metrics of registries that the program drops without stopping them: their timers and observers end.

import { execFileSync } from 'node:child_process';
import test from 'ava';

function run(program) {
  const flags = ['--expose-gc', '--input-type=module', '--eval'];
  const source = `
    import { collectDefaultMetrics, Registry } from '@llm-devops/prometheus-metrics';
    const timers = () => process.getActiveResourcesInfo().length;
    let set = 0;
    const { setInterval, clearInterval } = globalThis;
    const { default: module } = await import('node:timers');
    const open = new Set();
    for (const holder of [globalThis, module]) {
      holder.setInterval = (...args) => { const timer = setInterval(...args); open.add(timer); return timer; };
      holder.clearInterval = (timer) => { open.delete(timer); clearInterval(timer); };
    }
    const collected = async () => {
      for (let turn = 0; turn < 20; turn++) { gc(); await new Promise((resolve) => setTimeout(resolve, 10)); }
    };
    ${program}`;
  return JSON.parse(execFileSync(process.execPath, [...flags, source], { cwd: new URL('.', import.meta.url) }));
}

test('a dropped registry ends its collections, also if their stop functions are kept', (t) => {
  const { before, after } = run(`
    const stops = [];
    const make = () => { stops.push(collectDefaultMetrics({ register: new Registry() })); };
    for (let count = 0; count < 30; count++) make();
    const before = open.size;
    await collected();
    console.log(JSON.stringify({ before, after: open.size }));
    for (const stop of stops) stop();`);
  t.true(before >= 30, `${before}`);
  t.is(after, 0);
});

test('a registry that is kept goes on collecting, though nothing else is kept', (t) => {
  const { open, lines } = run(`
    const registry = new Registry();
    collectDefaultMetrics({ register: registry });
    await collected();
    const lines = (await registry.metrics()).split('\\n').length;
    console.log(JSON.stringify({ open: open.size, lines }));`);
  t.true(open > 0);
  t.true(lines > 50);
});
