// The main thread of a program: runs it, and writes what it returns to the pipe that `process.mjs` reads.

import { writeSync } from 'node:fs';
import { programOf, tools } from './tools.mjs';

const [source, argument] = process.argv.slice(2);
const RESULT = 3;

/** The test knows it even if the process ends in the next statement. */
function answer(result) {
  writeSync(RESULT, JSON.stringify(result));
}

const own = { argument: JSON.parse(argument), answer };
const given = Object.defineProperties(
  {},
  { ...Object.getOwnPropertyDescriptors(tools), ...Object.getOwnPropertyDescriptors(own) },
);
const result = await programOf(source)(given);
if (result !== undefined) answer(result);
