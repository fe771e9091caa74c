// The entry point: starts the service, prints its addresses, shows a summary, and stops cleanly.

import { loggedCalls } from './call-log.mjs';
import { SettingError } from './listening.mjs';
import { startService } from './service.mjs';
import { readSettings, USAGE } from './settings.mjs';
import { startSummary } from './summary.mjs';

/** The longest time to stop. A connection that does not close must not keep the terminal waiting. */
const SHUTDOWN_MS_MAX = 5000;

try {
  const settings = readSettings(process.argv.slice(2), process.env);
  if (settings.help) process.stdout.write(USAGE);
  else await run(settings);
} catch (error) {
  if (!(error instanceof SettingError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

async function run({ logCalls, ...settings }) {
  const startCall = logCalls ? loggedCalls((call) => process.stdout.write(`${JSON.stringify(call)}\n`)) : undefined;
  const service = await startService({ ...settings, startCall });
  process.stdout.write(
    `Page     ${service.pageUrl}  (open it in a browser: live charts of all that follows)
Gateway  ${service.chatUrl}  (POST, OpenAI's wire format)
Metrics  ${service.metricsUrl}
Models   ${service.modelServerUrl}  (simulated, started here)
Press Ctrl-C to stop.
`,
  );
  const stopSummary = logCalls ? () => {} : startSummary(process.stdout);

  // One Ctrl-C can arrive twice, from the terminal and from npm. So a second signal changes nothing.
  let ending = false;
  const end = async () => {
    if (ending) return;
    ending = true;
    setTimeout(() => process.exit(0), SHUTDOWN_MS_MAX).unref();
    stopSummary();
    await service.close();
    process.stdout.write('Stopped.\n');
    process.exit(0);
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
}
