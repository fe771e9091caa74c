// The judges run apart from the other tests: they need programs that `npm test` must not need (.ci/judges.sh).

export default {
  files: ['__test__/judges/*.test.mjs'],
  // One at a time: each starts servers of its own, and a starved gateway proves nothing.
  concurrency: 1,
  timeout: '180s',
  workerThreads: false,
};
