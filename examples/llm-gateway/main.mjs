// The entry: starts the service, says where it is, shows what it does, and ends cleanly.

import { loggedCalls } from './call-log.mjs';
import { SettingError } from './listening.mjs';
import { startService } from './service.mjs';
import { readSettings, USAGE } from './settings.mjs';
import { startSummary } from './summary.mjs';

/** Connections that do not close and timers that do not end must not keep a terminal waiting. */
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
    `Gateway  ${service.chatUrl}  (POST, as OpenAI's clients do)
Metrics  ${service.metricsUrl}
Models   ${service.modelServerUrl}  (a stand-in, started here)
Press Ctrl-C to end.
`,
  );
  const stopSummary = logCalls ? () => {} : startSummary(process.stdout);

  // A terminal and npm may both pass on one Ctrl-C, so a second signal is not a second wish: it changes nothing.
  let ending = false;
  const end = async () => {
    if (ending) return;
    ending = true;
    setTimeout(() => process.exit(0), SHUTDOWN_MS_MAX).unref();
    stopSummary();
    await service.close();
    process.stdout.write('Ended.\n');
    process.exit(0);
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
}
