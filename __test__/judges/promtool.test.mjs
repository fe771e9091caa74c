// promtool parses the gateway's text exposition and lints its names, types and help texts.

import test from 'ava';
import { startGateway } from './support/gateway.mjs';
import { FAMILIES } from './support/ledger.mjs';
import { sendLoad } from './support/load.mjs';
import { run } from './support/processes.mjs';

// This name is older than promtool's rule.
const KNOWN = 'llmdevops_metrics_series_count non-histogram and non-summary metrics should not have "_count" suffix\n';

test('promtool reports no other problem in the exposition', async (t) => {
  const gateway = await startGateway(t);
  // One round of the load records every outcome, so that every family has samples to check.
  await sendLoad(gateway, { rounds: 1 });
  const answer = await fetch(gateway.metricsUrl, { headers: { accept: 'text/plain;version=0.0.4' } });
  t.is(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  const exposition = await answer.text();
  for (const family of Object.keys(FAMILIES)) t.regex(exposition, new RegExp(`^${family}(_bucket)?\\{`, 'm'));

  const { code, stdout, stderr } = await run('promtool', ['check', 'metrics'], { input: exposition });
  t.deepEqual({ code, stdout, stderr }, { code: 3, stdout: '', stderr: KNOWN });
});
