module.exports = { testMatch: ['**/*.spec.cjs'], transform: {} };
