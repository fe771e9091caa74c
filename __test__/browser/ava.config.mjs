// The tests of the page in a browser run separately: they need Chromium, which `npm test` must not need (.ci/browser.sh).

export default {
  files: ['__test__/browser/*.test.mjs'],
  // One at a time: the pages draw every second.
  concurrency: 1,
  timeout: '120s',
  workerThreads: false,
};
