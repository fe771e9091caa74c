// Tests colours and the table of `watch`, which depend on a terminal. `script` of util-linux makes the pseudo-terminal.

import test from 'ava';
import { run, runInTerminal, serve, serveText, TEXT } from './support/program.mjs';

const ESCAPE = '\u001b';
const FINDING = '# TYPE a_ms gauge\na_ms 1\n';

/** An endpoint whose counters move by known steps at each scrape. */
function movingEndpoint(t) {
  let scrapes = 0;
  return serve(t, (_, response) => {
    scrapes += 1;
    response.setHeader('content-type', TEXT).end(`# TYPE fast_total counter
fast_total{x="1"} ${scrapes * 1000}
fast_total{x="still"} 5
# TYPE slow_total counter
slow_total ${scrapes}
# TYPE level gauge
level ${scrapes % 2}
# TYPE huge gauge
huge ${1e12 + scrapes * 1e6}
# TYPE h histogram
h_bucket{le="+Inf"} ${scrapes * 10}
h_sum ${scrapes * 20}
h_count ${scrapes * 10}
`);
  });
}

test('check has colours on a terminal, unless NO_COLOR or TERM forbid them', async (t) => {
  const url = await serveText(t, FINDING);
  const terminal = await runInTerminal(['check', url]);
  t.true(terminal.stdout.includes(`${ESCAPE}[33mwarning${ESCAPE}[0m  a_ms  no help text (help)`), terminal.stdout);
  t.is(terminal.code, 1);
  for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) {
    const plain = await runInTerminal(['check', url], { env });
    t.false(plain.stdout.includes(ESCAPE), plain.stdout);
    t.true(plain.stdout.includes('warning  a_ms  no help text (help)'));
  }
  t.false((await run(['check', url])).stdout.includes(ESCAPE));
});

test('watch draws a table on a terminal, and gives the screen back', async (t) => {
  const url = await movingEndpoint(t);
  const { code, stdout } = await runInTerminal(['watch', '-n', '0.1', '--count', '4', url]);
  t.is(code, 0);
  t.true(stdout.startsWith(`${ESCAPE}[?1049h${ESCAPE}[?25l`));
  t.true(stdout.endsWith(`${ESCAPE}[?25h${ESCAPE}[?1049l`));
  const last = stdout.slice(stdout.lastIndexOf(`${ESCAPE}[H`)).replaceAll(`${ESCAPE}[K\r`, '');
  // Counters by rate, then gauges by their share.
  const order = [...last.matchAll(/^[+-][\d.e+]+\/s .* (\S+)$/gm)].map(([, series]) => series);
  t.deepEqual(order, ['fast_total{x="1"}', 'h_sum', 'h_count', 'slow_total', 'level', 'huge']);
  t.regex(last, /[▁▂▃▄▅▆▇█]{3}/);
  t.true(last.includes('7 series'), last);
});

test('the title of watch has no part of a password', async (t) => {
  const url = (await movingEndpoint(t)).replace('//', '//user:pass@word@');
  const { stdout } = await runInTerminal(['watch', '-n', '0.1', '--count', '2', url]);
  t.true(stdout.includes('http://127.0.0.1:'), stdout);
  t.false(/user|pass|word/.test(stdout), stdout);
});

test('watch writes plain lines to a pipe: a rate, a value, a series', async (t) => {
  const url = await movingEndpoint(t);
  const { code, stdout, stderr } = await run(['watch', '-n', '0.1', '--count', '3', '--top', '2', url]);
  t.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  const lines = stdout.trimEnd().split('\n');
  t.is(lines.length, 4);
  for (const line of lines) t.regex(line, /^\d\d:\d\d:\d\d \+[\d.e+]+\/s \d+ (fast_total\{x="1"\}|h_sum)$/);
  const matching = await run(['watch', '-n', '0.1', '--count', '2', '--match', 'slow', url]);
  t.regex(matching.stdout, /^\S+ \S+ \d+ slow_total\n$/);
  const nothing = await run(['watch', '-n', '0.1', '--count', '2', '--match', 'still', url]);
  t.regex(nothing.stdout, /^\S+ nothing moved\n$/);
});

test('watch --json: one line for each scrape; a counter that fell has no negative rate', async (t) => {
  const values = [10, 20, 3];
  const url = await serve(t, (_, response) => {
    response.setHeader('content-type', TEXT).end(`# TYPE a_total counter\na_total ${values.shift()}\n`);
  });
  const { code, stdout } = await run(['watch', '--json', '-n', '0.2', '--count', '3', url]);
  t.is(code, 0);
  const rounds = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.deepEqual(
    rounds.map(({ series }) => series.map(({ series, value }) => [series, value])),
    [[], [['a_total', 20]], [['a_total', 3]]],
  );
  t.true(rounds[1].series[0].rate > 0 && rounds[2].series[0].rate > 0);
  t.true(rounds[1].series[0].rate > rounds[2].series[0].rate);
});

test('watch goes on while an endpoint restarts, and ends with 2 if the first scrape fails', async (t) => {
  let scrapes = 0;
  const url = await serve(t, (_, response) => {
    scrapes += 1;
    if (scrapes % 4 === 3) response.writeHead(503).end();
    else response.setHeader('content-type', TEXT).end(`# TYPE a_total counter\na_total ${scrapes}\n`);
  });
  const failed = `Expected to scrape ${url}/ but failed: HTTP 503 Service Unavailable`;
  const plain = await run(['watch', '-n', '0.1', '--count', '4', url]);
  t.is(plain.code, 0);
  const [one, two, three] = plain.stdout.split('\n').map((line) => line.slice(9));
  t.regex(one, /a_total$/);
  t.is(two, failed);
  t.regex(three, /a_total$/);
  const json = await run(['watch', '--json', '-n', '0.1', '--count', '3', url]);
  t.is(JSON.parse(json.stdout.split('\n')[2]).error, failed);
  const drawn = await runInTerminal(['watch', '-n', '0.1', '--count', '5', url]);
  t.is(drawn.code, 0);
  t.true(drawn.stdout.includes(`${ESCAPE}[31mExpected to scrape ${url}`), drawn.stdout);
  const gone = await runInTerminal(['watch', 'http://127.0.0.1:9']);
  t.is(gone.code, 2);
  t.true(
    gone.stdout.includes(`${ESCAPE}[?1049lprometheus-metrics: Expected to scrape http://127.0.0.1:9/ but`),
    gone.stdout,
  );
});

test('Ctrl-C ends watch, and gives the screen back', async (t) => {
  const url = await movingEndpoint(t);
  const { stdout } = await runInTerminal(['watch', '-n', '0.1', url], { after: 'kill -INT $!' });
  t.true(stdout.includes(`${ESCAPE}[?1049h`));
  t.regex(stdout, /\[\?25h.\[\?1049l\s*$/su);
});
