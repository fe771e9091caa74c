// Runs the code of the documentation: every JavaScript or TypeScript block of every page, by the recipes in `recipes/`. A
// block without a recipe must be marked in the page with the reason, `<!-- not run: reason -->`. Blocks that need SDKs run
// in `__test__/sdks`, and those of test runners in `__test__/testing/runners.test.mjs`, by the same recipes.

import test from 'ava';
import { blocksNotRun, parsePage } from './support/pages.mjs';
import { runRecipe } from './support/programs.mjs';
import { PAGES, RECIPES } from './support/recipes.mjs';

test('every block is run, or the page says why not', (t) => {
  const run = new Set(RECIPES.flatMap(({ found }) => found));
  t.deepEqual(blocksNotRun([...PAGES.values()], run), []);
  t.true(run.size > 40);
});

test('a block is either run or marked as not run', (t) => {
  const marked = RECIPES.flatMap(({ found }) => found).filter(({ notRun }) => notRun !== undefined);
  t.deepEqual(
    marked.map(({ page, line }) => `${page}:${line}`),
    [],
  );
});

test('docs/testing-expositions.md has an example under the heading of each function', (t) => {
  const { text } = PAGES.get('docs/testing-expositions.md');
  t.deepEqual(
    [...text.matchAll(/^## (\w+)[\s\S]*?^```js\n([\s\S]*?)^```$/gm)].map(([, name]) => name),
    ['parseExposition', 'diffSnapshots', 'replay', 'synthesize'],
  );
});

for (const { recipe, found } of RECIPES.filter(({ recipe }) => !recipe.sdks && recipe.by === undefined)) {
  // One after the other: forty processes at once would starve each other.
  test.serial(`${recipe.page}: ${recipe.title}`, (t) => runRecipe(t, recipe, found));
}

test('a block that is neither run nor marked is found', (t) => {
  const js = '```js\nlet a;\n```\n';
  const page = parsePage('p.md', `# P\n\n${js}\n<!-- not run: needs a cloud -->\n\n${js}\n<!-- other -->\n${js}`);
  t.deepEqual(
    page.blocks.map(({ line, notRun }) => [line, notRun]),
    [
      [3, undefined],
      [9, 'needs a cloud'],
      [14, undefined],
    ],
  );
  t.deepEqual(blocksNotRun([page], new Set([page.blocks[0]])), ['p.md:14']);
});

test.serial('a TypeScript block is compiled, and one with a wrong type is refused', async (t) => {
  const block = (code) => parsePage('p.md', `\`\`\`ts\n${code}\n\`\`\`\n`).blocks;
  const imported = "import { Counter } from '@llm-devops/prometheus-metrics';";
  const good = `${imported}\nconst c: Counter = new Counter({ name: 'c', help: 'h' });\nc.inc();\nconsole.log(c.value());`;
  await runRecipe(t, { prints: '1\n' }, block(good));
  const wrong = `${imported}\nnew Counter({ name: 1, help: 'h' });`;
  await t.throwsAsync(runRecipe(t, {}, block(wrong)), { message: /The compiler refuses the block:[\s\S]*TS2322/ });
});
