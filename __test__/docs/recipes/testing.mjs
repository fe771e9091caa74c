// Recipes of docs/testing.md and docs/testing-expositions.md.

const page = 'docs/testing.md';
const RUNNERS = '__test__/testing/runners.test.mjs';

/** An example that takes the default registry has given it back. */
const RESTORED = `
  import { MockRegistry as Another } from '@llm-devops/prometheus-metrics/testing';
  new Another().isolate().restore();`;

const alone = (title) => ({ page, title, blocks: [`// ${title}\n`], after: RESTORED });
const byRunner = (title) => ({ page, title, blocks: [`// ${title}\n`], by: RUNNERS });
const expositions = (names) => ({ page: 'docs/testing-expositions.md', title: names, blocks: [`import { ${names} }`] });

export default [
  ...['MockRegistry', 'MockClock', 'A registry of its own', 'The default registry'].map(alone),
  ...['app.cjs', 'Jest', 'Vitest', 'node:test', 'AVA'].map(byRunner),
  ...['parseExposition', 'diffSnapshots', 'replay', 'parseExposition, synthesize'].map(expositions),
];
