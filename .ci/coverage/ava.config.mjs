// The JavaScript tests that run code of the library in a way in which V8 counts it as it is.
import { readFileSync } from 'node:fs';

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

export default {
  ...manifest.ava,
  timeout: '600s',
  // V8 keeps code whose calls it counts. Code that is counted is slow.
  match: ['!*a realm that is dropped is collected*', '!*are read in less than a second*'],
  files: [
    ...manifest.ava.files,
    // Jest and Vitest wrap the code that they load, so V8's offsets are not those of the file.
    '!__test__/testing/runners.test.mjs',
    '!__test__/threads/runners.test.mjs',
    '!__test__/http/exporter/open-handles.test.mjs',
    // It is about the code that V8 makes, which is another one with counters.
    '!__test__/native/memory-model.test.mjs',
    // These read files and run nothing of the library.
    '!__test__/ci/**',
    '!__test__/deploy/**',
    '!__test__/house/**',
    '!__test__/package/types.test.mjs',
  ],
};
