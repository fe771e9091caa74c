// A real Prometheus scrapes an exporter with each kind of access control and stores the recorded values. In each test,
// a scraper without the right credentials must be rejected.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Counter, Gauge, Histogram, Registry, startExporter } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { makeCertificates } from './support/certificates.mjs';
import { seriesKey } from './support/ledger.mjs';
import { poll, temporaryFolder } from './support/processes.mjs';
import { differences } from './support/query.mjs';
import { startPrometheus, startVictoriaMetrics } from './support/scrapers.mjs';

const PASSWORD = 'correct horse';
/** bcrypt of the password, at the lowest cost. */
const HASH = '$2b$04$4KalQFBJxlb23PHJ.VJOSu.gVG5zg8q87ekANnaCdpOQke051tU76';
const TOKEN = 'a-long-and-random-token';
const BASIC = { basic_auth: { username: 'scraper', password: PASSWORD } };
const BEARER = { authorization: { type: 'Bearer', credentials: TOKEN } };

test.serial('Prometheus scrapes an open exporter', async (t) => {
  const exporter = await startJudged(t);
  await assertScraped(t, exporter, { scraper: {} }, {});
});

test.serial('Prometheus scrapes with a password', async (t) => {
  const exporter = await startJudged(t, { basicUsers: [`scraper:${HASH}`] });
  const wrong = { basic_auth: { username: 'scraper', password: 'wrong' } };
  const refused = 'server returned HTTP status 401 Unauthorized';
  await assertScraped(t, exporter, { scraper: BASIC }, { stranger: [{}, refused] });
  // Wrong credentials are limited by address, so the wrong scraper is the Prometheus of another test.
  await assertScraped(t, exporter, {}, { guesser: [wrong, /401 Unauthorized|429 Too Many Requests/] });
});

test.serial('Prometheus scrapes with a token', async (t) => {
  const exporter = await startJudged(t, { bearerTokens: [TOKEN] });
  const refused = 'server returned HTTP status 401 Unauthorized';
  await assertScraped(t, exporter, { scraper: BEARER }, { stranger: [BASIC, refused] });
});

test.serial('Prometheus scrapes over TLS', async (t) => {
  const { ca, server } = await makeCertificates(t);
  const exporter = await startJudged(t, { tlsCertFile: server.cert, tlsKeyFile: server.key });
  t.regex(exporter.url, /^https:/);
  const trusting = { tls_config: { ca_file: ca } };
  await assertScraped(
    t,
    exporter,
    { scraper: trusting },
    { stranger: [{}, /certificate signed by unknown authority/] },
  );
});

test.serial('Prometheus scrapes with a certificate of its own', async (t) => {
  const { ca, server, client } = await makeCertificates(t);
  const exporter = await startJudged(t, {
    tlsCertFile: server.cert,
    tlsKeyFile: server.key,
    tlsClientCaFile: ca,
  });
  const known = { tls_config: { ca_file: ca, cert_file: client.cert, key_file: client.key } };
  const unknown = { tls_config: { ca_file: ca } };
  await assertScraped(t, exporter, { scraper: known }, { stranger: [unknown, /certificate required|bad certificate/] });
});

test.serial('Prometheus scrapes as a web configuration file says', async (t) => {
  const { ca, server, client } = await makeCertificates(t);
  const file = join(await temporaryFolder(t), 'web.yml');
  // JSON is YAML.
  const web = {
    tls_server_config: {
      cert_file: server.cert,
      key_file: server.key,
      client_ca_file: ca,
      client_auth_type: 'RequireAndVerifyClientCert',
    },
    http_server_config: { headers: { 'X-Content-Type-Options': 'nosniff' } },
    basic_auth_users: { scraper: HASH },
  };
  await writeFile(file, JSON.stringify(web));
  const exporter = await startJudged(t, { webConfigFile: file });
  const certified = { tls_config: { ca_file: ca, cert_file: client.cert, key_file: client.key } };
  const both = { ...certified, ...BASIC };
  await assertScraped(
    t,
    exporter,
    { scraper: both },
    {
      nameless: [certified, 'server returned HTTP status 401 Unauthorized'],
      uncertified: [{ ...BASIC, tls_config: { ca_file: ca } }, /certificate required|bad certificate/],
    },
  );
});

test.serial('VictoriaMetrics scrapes an exporter with gzip', async (t) => {
  const encodings = new Set();
  const exporter = await startJudged(t, {
    compressionMinSize: 0,
    authenticate: ({ headers }) => {
      encodings.add(headers['accept-encoding']);
      return true;
    },
  });
  const victoria = await startVictoriaMetrics(t, { scraper: exporter.metricsUrl });
  await victoria.nextScrapes('scraper');
  t.deepEqual(differences(await victoria.seriesOf('scraper', 'judged_'), exporter.series), []);
  t.deepEqual([...encodings], ['gzip']);
});

/** Starts an exporter with a few metrics; `series` is what a scraper must have read. */
async function startJudged(t, options = {}) {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Counter({ name: 'judged_requests_total', help: 'Requests', labelNames: ['path'], registers });
  const level = new Gauge({ name: 'judged_level', help: 'A level', registers });
  const seconds = new Histogram({ name: 'judged_seconds', help: 'Seconds', buckets: [0.5, 2.5], registers });
  requests.inc({ path: '/a "b"' }, 3);
  level.set(-0.25);
  for (const value of [0.25, 1, 4]) seconds.observe(value);

  const exporter = await startExporter({ host: '127.0.0.1', port: 0, registry, ...options });
  t.teardown(() => exporter.close());
  const series = new Map([
    [seriesKey('judged_requests_total', { path: '/a "b"' }), 3],
    [seriesKey('judged_level', {}), -0.25],
    [seriesKey('judged_seconds_bucket', { le: '0.5' }), 1],
    [seriesKey('judged_seconds_bucket', { le: '2.5' }), 2],
    [seriesKey('judged_seconds_bucket', { le: '+Inf' }), 3],
    [seriesKey('judged_seconds_sum', {}), 5.25],
    [seriesKey('judged_seconds_count', {}), 3],
  ]);
  return { url: exporter.url, metricsUrl: `${exporter.url}/metrics`, series };
}

/** Permitted jobs are up and store everything. Rejected jobs are down for the expected reason. */
async function assertScraped(t, { metricsUrl: url, series }, allowed, refused) {
  const jobs = { ...allowed, ...Object.fromEntries(Object.entries(refused).map(([job, [options]]) => [job, options])) };
  const targets = Object.fromEntries(Object.entries(jobs).map(([job, options]) => [job, { url, ...options }]));
  const prometheus = await startPrometheus(t, targets);
  for (const job of Object.keys(allowed)) {
    await prometheus.nextScrapes(job);
    t.deepEqual(differences(await prometheus.seriesOf(job, 'judged_'), series), [], job);
    t.is(await prometheus.scalar(`min_over_time(up{job="${job}"}[1h])`), 1, `${job}: every scrape succeeded`);
  }
  for (const [job, [, reason]] of Object.entries(refused)) {
    const target = await poll(async () => {
      const { activeTargets } = await prometheus.get('/api/v1/targets');
      return activeTargets.find(({ labels, health }) => labels.job === job && health !== 'unknown');
    }, `the first scrape of ${job}`);
    t.is(target.health, 'down', job);
    if (typeof reason === 'string') t.is(target.lastError, reason, job);
    else t.regex(target.lastError, reason, job);
    t.deepEqual([...(await prometheus.seriesOf(job, 'judged_'))], [], job);
  }
}
