// The tests against real SDKs and frameworks. They need a newer Node.js than the library does, so they run apart.
export default {
  files: ['__test__/sdks/**/*.test.mjs'],
  timeout: '120s',
  workerThreads: false,
};
