// Makes the picture of the page for README from the example: `sh .ci/browser.sh --picture docs/page.webp`.

import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startBrowser } from './support/browser.mjs';

const [file] = process.argv.slice(2);
/** Long enough for courses to have a form. */
const WATCH_MS = 75_000;
/** What README may carry. */
const MOST_BYTES = 60_000;

const example = spawn(process.execPath, [join(import.meta.dirname, '../../examples/llm-gateway/main.mjs')], {
  env: { ...process.env, PORT: '0', METRICS_ENDPOINT_PORT: '0' },
  stdio: ['ignore', 'pipe', 'inherit'],
});
try {
  let url;
  for await (const line of createInterface({ input: example.stdout })) {
    url = /^Page +(\S+)/.exec(line)?.[1];
    if (url !== undefined) break;
  }
  example.stdout.resume();
  const browser = await startBrowser();
  try {
    const page = await browser.newPage();
    await page.setViewport({ width: 1280, height: 620 });
    await page.goto(url);
    await new Promise((resolve) => setTimeout(resolve, WATCH_MS));
    const image = await page.screenshot({ type: 'webp', quality: 70 });
    if (image.length > MOST_BYTES) throw new Error(`The picture has ${image.length} bytes, more than ${MOST_BYTES}`);
    await writeFile(file, image);
    console.log(`${file}: ${image.length} bytes`);
  } finally {
    await browser.close();
  }
} finally {
  example.kill();
}
