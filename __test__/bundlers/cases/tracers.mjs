/**
 * ncc, which copies the addon beside its bundle, and nft, which lists the files that a program needs.
 */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { nodeFileTrace } from '@vercel/nft';
import { check } from '../../support/tally.mjs';
import { line, shell } from '../page.mjs';
import { application, runWhole } from '../program.mjs';

export async function checkTracers() {
  await check('ncc', async () => {
    const folder = application();
    await shell(folder, line('ncc build'));
    await runWhole(folder, 'out', 'index.mjs');
  });
  await check('nft', async () => {
    const folder = application();
    const { fileList } = await nodeFileTrace([join(folder, 'app.mjs')], { base: folder });
    for (const file of fileList) cpSync(join(folder, file), join(folder, 'out', file));
    await runWhole(folder, 'out', 'app.mjs');
  });
}
