// Jest runs files in band where an earlier run found them fast, so each run has a cache of its own.
module.exports = { cacheDirectory: process.env.RUNNER_CACHE, testMatch: ['**/*.spec.cjs'], transform: {} };
