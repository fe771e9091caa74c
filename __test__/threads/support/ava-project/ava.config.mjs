export default { files: ['__test__/threads/support/ava-project/*.spec.mjs'] };
