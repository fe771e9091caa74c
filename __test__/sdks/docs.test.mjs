// Runs the blocks of the documentation that need an SDK, with a stand-in for its provider. The recipes and the engine are
// those of `__test__/docs`.

import test from 'ava';
import { runRecipe } from '../docs/support/programs.mjs';
import { RECIPES } from '../docs/support/recipes.mjs';
import { WireServer } from './support/wire-server.mjs';

/** Where each SDK reads its key and its provider's address. */
const environment = (url) => ({
  OPENAI_API_KEY: 'k',
  OPENAI_BASE_URL: `${url}/v1`,
  ANTHROPIC_API_KEY: 'k',
  ANTHROPIC_BASE_URL: url,
  GEMINI_API_KEY: 'k',
  GOOGLE_GEMINI_BASE_URL: url,
});

for (const { recipe, found } of RECIPES.filter(({ recipe }) => recipe.sdks)) {
  test.serial(`${recipe.page}: ${recipe.title}`, async (t) => {
    const wire = await WireServer.start(t);
    wire.answer(...(recipe.answers?.() ?? []));
    await runRecipe(t, recipe, found, { folder: '__test__/sdks', env: environment(wire.url) });
  });
}
