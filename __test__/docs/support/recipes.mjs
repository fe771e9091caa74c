// All recipes, with the blocks that each of them runs.

import bundlers from '../recipes/bundlers.mjs';
import frameworks from '../recipes/frameworks.mjs';
import guides from '../recipes/guides.mjs';
import integrations from '../recipes/integrations.mjs';
import migration from '../recipes/migration.mjs';
import readme from '../recipes/readme.mjs';
import testing from '../recipes/testing.mjs';
import troubleshooting from '../recipes/troubleshooting.mjs';
import { blockOf, pageNames, readPage } from './pages.mjs';

export const PAGES = new Map(pageNames().map((name) => [name, readPage(name)]));

/**
 * A recipe has a `page`, a `title` and its `blocks`, each named by a text that only this block contains. It may have
 * `before` (defines what the block uses and does not define), `after` (checks), `replace` (pairs of texts: paths and ports
 * that only the reader's machine has), and one of:
 *
 * - `prints`: the whole of standard output;
 * - `serves(t, program)`: asks its server;
 * - `exports(t, module)`: calls what it exports;
 * - `by`: the test file that runs it.
 *
 * Without any of these the program has to end without an error. `sdks` runs it where the SDKs are installed; `answers`
 * are then what the stand-in for the provider answers.
 */
export const RECIPES = [
  ...readme,
  ...guides,
  ...frameworks,
  ...testing,
  ...integrations,
  ...migration,
  ...troubleshooting,
  ...bundlers,
].map((recipe) => ({
  recipe,
  found: recipe.blocks.map((text) => blockOf(PAGES.get(recipe.page), text)),
}));
