module.exports = { testMatch: ['**/*.spec.cjs'], transform: {}, collectCoverage: false };
