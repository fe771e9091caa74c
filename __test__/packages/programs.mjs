/**
 * Programs that use the installed package. Each prints `EXPECTED` if the package works.
 */
export const NAME = '@llm-devops/prometheus-metrics';

/** What every program prints: the exposition of one counter. */
export const EXPECTED = `# HELP requests_total Requests
# TYPE requests_total counter
requests_total{model="small"} 2
`;

const record = (client) => `
new ${client}.Counter({ name: 'requests_total', help: 'Requests', labelNames: ['model'] }).inc({ model: 'small' }, 2);
${client}.register.metrics().then((text) => console.log(text.trim()));
`;

/** Programs for Node.js, by file name, for a package that was installed under `name`. */
export const plainPrograms = (name = NAME) => ({
  'check.cjs': `const client = require('${name}');
const { instrumentOpenAI } = require('${name}/openai');
if (typeof instrumentOpenAI !== 'function') throw new Error('no function');
${record('client')}`,
  'check.mjs': `import client, { register } from '${name}';
import { fastifyMetrics } from '${name}/fastify';
if (typeof fastifyMetrics !== 'function' || register !== client.register) throw new Error('not the same library');
${record('client')}`,
});

/** Compares the whole output of a program. */
export function expectOutput(received, expected = EXPECTED) {
  if (received.trim() === expected.trim()) return;
  throw new Error(`expected\n${expected}\nreceived\n${received}`);
}
