export default { files: ['__test__/testing/support/ava-project/*.spec.mjs'], workerThreads: false };
