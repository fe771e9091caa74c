// How much a test tries: `npm test` tries a part, so that a developer waits for minutes; CI tries everything.

/** Whether the tests run with full counts. */
export const IS_FULL = process.env.CI_FULL === '1';

/** The count of `npm test`, or the one of CI. */
export const count = (local, full) => (IS_FULL ? full : local);
