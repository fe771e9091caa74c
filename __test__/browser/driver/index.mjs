// Gives the tests what this folder installs: the driver of the browser, and the text of axe, which runs in the page.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

export { default as puppeteer } from 'puppeteer-core';

export const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
