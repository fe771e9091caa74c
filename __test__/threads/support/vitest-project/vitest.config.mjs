export default { cacheDir: process.env.RUNNER_CACHE, test: { include: ['**/*.spec.mjs'] } };
