/**
 * Runs checks one after the other, prints how long each took, and counts those that passed and failed.
 */

const counts = { passed: 0, failed: 0 };

const seconds = (started) => `${((performance.now() - started) / 1000).toFixed(1)} s`;

/** Runs a part of the tests; an error that is thrown outside a check counts as a failure. */
export async function part(title, run) {
  const started = performance.now();
  console.log(`\n== ${title}`);
  try {
    await run();
  } catch (error) {
    fail(title, error, started);
  }
  console.log(`   ${title}: ${seconds(started)}`);
}

/** Runs one check. It passes if it does not throw. */
export async function check(title, run) {
  const started = performance.now();
  try {
    await run();
    counts.passed += 1;
    console.log(` ✔ ${title} (${seconds(started)})`);
  } catch (error) {
    fail(title, error, started);
  }
}

function fail(title, error, started) {
  counts.failed += 1;
  const text = String(error.message ?? error);
  // The cause is at one of the two ends.
  const shown = text.length > 6000 ? `${text.slice(0, 3000)}\n[…]\n${text.slice(-3000)}` : text;
  console.log(` ✘ ${title} (${seconds(started)})\n${shown.replace(/^/gm, '     ')}`);
}

/** Prints the last line, and returns the exit code. */
export function tally() {
  console.log(`\n${counts.passed} passed, ${counts.failed} failed`);
  return counts.failed === 0 && counts.passed > 0 ? 0 : 1;
}
