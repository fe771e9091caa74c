// VictoriaMetrics, an independent parser and store, scrapes the example gateway under the same load and must agree with
// the same ledger.

import test from 'ava';
import { startGateway } from './support/gateway.mjs';
import { agrees } from './support/ledger.mjs';
import { sendLoad } from './support/load.mjs';
import { differences } from './support/query.mjs';
import { startVictoriaMetrics } from './support/scrapers.mjs';

test('VictoriaMetrics reads the ledger’s values', async (t) => {
  const gateway = await startGateway(t);
  const victoria = await startVictoriaMetrics(t, { gateway: gateway.metricsUrl });
  await victoria.nextScrapes('gateway');

  const { ledger, sent } = await sendLoad(gateway, { rounds: 3 });
  await victoria.nextScrapes('gateway');

  // It stores decimal numbers: a double with 17 significant digits can change in the last digits, which the ledger's
  // ranges allow. Counts must be equal. It asks for text 0.0.4, so `le` has the text format's form.
  const series = await victoria.seriesOf('gateway', 'llmdevops_llm_');
  t.deepEqual(differences(series, ledger.series('text'), agrees), []);
  t.log(`${sent} requests: ${series.size} series agree`);

  t.is(await victoria.scalar('min_over_time(up{job="gateway"}[1h])'), 1, 'every scrape succeeded');
  const { activeTargets } = await victoria.get('/api/v1/targets');
  t.deepEqual(
    activeTargets.map(({ health, lastError }) => ({ health, lastError })),
    [{ health: 'up', lastError: '' }],
  );
});
