// The judges run separately: they need programs that `npm test` must not need (.ci/judges.sh).

export default {
  files: ['__test__/judges/*.test.mjs'],
  // One at a time: each starts servers of its own, and an overloaded gateway gives wrong results.
  concurrency: 1,
  timeout: '180s',
  workerThreads: false,
};
