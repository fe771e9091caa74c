// The tests of real SDKs and frameworks. They need a newer Node.js than the library, so they run separately.
import { count } from '../support/count.mjs';

/** More versions and providers of what other files try, and random programs: a developer does not wait for these. */
const ONLY_IN_CI = ['ai-sdk-versions', 'client-ends', 'langchain-providers', 'minified', 'random-ends'];

export default {
  files: ['__test__/sdks/**/*.test.mjs', ...count(ONLY_IN_CI, []).map((name) => `!__test__/sdks/${name}.test.mjs`)],
  timeout: '120s',
  workerThreads: false,
};
