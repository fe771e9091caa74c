// The tests of real SDKs and frameworks. They need a newer Node.js than the library, so they run separately.
export default {
  files: ['__test__/sdks/**/*.test.mjs'],
  timeout: '120s',
  workerThreads: false,
};
