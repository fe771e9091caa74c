// Recipes of docs/migration.md.

const page = 'docs/migration.md';

/** The comparison reads two files. Here they are two texts, with one difference of each kind that it prints. */
const BEFORE = `# TYPE jobs_total counter
jobs_total{queue="mail",user="null"} 1
# TYPE gone gauge
gone 1
# TYPE size gauge
size 1
`;
const AFTER = `# TYPE jobs_total counter
jobs_total{queue="mail"} 1
# TYPE size untyped
size 1
`;

export default [
  {
    page,
    title: 'the comparison prints families with another type, and series that one side has',
    blocks: ['diffSnapshots(before, after)'],
    replace: [
      ["import { readFileSync } from 'node:fs';\n", ''],
      ["['before.txt', 'after.txt'].map((file) => readFileSync(file, 'utf8'))", `${JSON.stringify([BEFORE, AFTER])}`],
    ],
    prints: `gone: gauge → missing
size: gauge → unknown
- gone {}
- jobs_total {"queue":"mail","user":"null"}
+ jobs_total {"queue":"mail"}
`,
  },
  {
    page,
    title: 'the handler serves what was recorded',
    blocks: ['http.createServer(metrics)'],
    replace: [['listen(3000)', 'listen(0)']],
    serves: async (t, program) => {
      const response = await fetch(`http://127.0.0.1:${await program.port()}/metrics`);
      t.is(
        await response.text(),
        `# HELP job_seconds Duration of jobs
# TYPE job_seconds histogram
job_seconds_bucket{le="1"} 1
job_seconds_bucket{le="10"} 1
job_seconds_bucket{le="+Inf"} 1
job_seconds_sum 0.5
job_seconds_count 1
`,
      );
    },
  },
  {
    page,
    title: 'get or create returns the metric that exists',
    blocks: ['register.counter('],
    after: `
      console.log(register.counter({ name: 'jobs_total', help: 'Jobs done', labelNames: ['queue'] }) === jobs);
      console.log(jobs.value({ queue: 'mail' }));`,
    prints: 'true\n1\n',
  },
];
