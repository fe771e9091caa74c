/**
 * ncc, which copies the addon beside its bundle, and nft, which lists the files that a program needs.
 */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { nodeFileTrace } from '@vercel/nft';
import { application, runWhole } from '../program.mjs';
import { run, tool } from '../shell.mjs';
import { check } from '../tally.mjs';

export async function checkTracers() {
  await check('ncc', async () => {
    const folder = application();
    await run(folder, [...tool('@vercel/ncc', 'dist/ncc/cli.js'), 'build', 'program.mjs', '--out', 'out']);
    await runWhole(folder, 'out', 'index.mjs');
  });
  await check('nft', async () => {
    const folder = application();
    const { fileList } = await nodeFileTrace([join(folder, 'program.mjs')], { base: folder });
    for (const file of fileList) cpSync(join(folder, file), join(folder, 'out', file));
    await runWhole(folder, 'out', 'program.mjs');
  });
}
