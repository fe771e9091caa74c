// The zero-code mode with the real clients of databases: programs without a line about metrics, except the last one, which
// prints them. mysql2 brings a server; one of our own answers Redis' clients.

import test from 'ava';
import { folder, print, run } from '../auto/support/programs.mjs';

/** Answers each command with its name, unknown ones with an error. */
const REDIS = `import net from 'node:net';
import { register } from '@llm-devops/prometheus-metrics';
const server = net.createServer((socket) => {
  socket.on('error', () => {}).on('data', (data) => {
    // Each command is a list of texts: *2, $3, GET, $1, k.
    for (const command of data.toString().split(/^\\*/m).slice(1)) {
      const name = command.split('\\r\\n')[2].toUpperCase();
      const answers = { GET: '$1\\r\\nv\\r\\n', SET: '+OK\\r\\n', PING: '+PONG\\r\\n', MULTI: '+OK\\r\\n', CLIENT: '+OK\\r\\n', HELLO: '%1\\r\\n+server\\r\\n+redis\\r\\n' };
      if (name === 'EXEC') socket.write('*2\\r\\n+OK\\r\\n$1\\r\\nv\\r\\n');
      else if (name === 'INFO') socket.write('$0\\r\\n\\r\\n');
      else socket.write(answers[name] ?? '-ERR unknown command\\r\\n');
    }
  });
}).listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const { port } = server.address();
`;
const END = `await new Promise((resolve) => setTimeout(resolve, 20));
${print('/^llmdevops_db_client_operation(s_total|_duration_seconds_count)/')}
process.exit();`;

const PROGRAMS = {
  ioredis: `${REDIS}
import Redis from 'ioredis';
const redis = new Redis({ host: '127.0.0.1', port });
await redis.set('secret:1', 'v');
await redis.get('secret:1');
await redis.get('secret:2');
await redis.call('HACK', 'x').catch(() => {});
await redis.pipeline().get('a').get('b').exec();
${END}`,
  redis: `${REDIS}
import { createClient } from 'redis';
const redis = createClient({ socket: { host: '127.0.0.1', port }, RESP: 2 });
redis.on('error', () => {});
await redis.connect();
await redis.set('secret:1', 'v');
await redis.get('secret:1');
await redis.get('secret:2');
await redis.sendCommand(['HACK', 'x']).catch(() => {});
await Promise.all([redis.get('a'), redis.get('b')]);
${END}`,
  mysql2: `import mysql from 'mysql2';
import { register } from '@llm-devops/prometheus-metrics';
const server = mysql.createServer();
server.on('connection', (connection) => {
  connection.serverHandshake({ protocolVersion: 10, serverVersion: '8', connectionId: 1, statusFlags: 2, characterSet: 8, capabilityFlags: 0xffffff ^ 2048 });
  connection.on('query', (sql) => {
    if (sql.includes('gone')) connection.writeError({ message: 'no such table', code: 1146 });
    else connection.writeOk({ affectedRows: 1 });
  });
  connection.on('error', () => {});
});
server.listen(0);
await new Promise((resolve) => server._server.once('listening', resolve));
const { port } = server._server.address();
const connection = mysql.createConnection({ host: '127.0.0.1', port }).promise();
await connection.query('SELECT 1 FROM secret');
await connection.query('/* by: someone */ select 2');
await connection.query({ sql: 'insert into secret values (?)', values: ['hidden'] });
await connection.query('SELECT * FROM gone').catch(() => {});
await connection.query('SECRET of somebody');
await new Promise((resolve) => connection.connection.query('update secret set x = 1').on('end', resolve).on('result', () => {}));
${END}`,
  mongoose: `import mongoose from 'mongoose';
import { register } from '@llm-devops/prometheus-metrics';
const schema = new mongoose.Schema({ name: String });
// Answers in place of a database.
schema.pre('findOne', function () { return mongoose.skipMiddlewareFunction({ name: 'x' }); });
const Secret = mongoose.model('Secret', schema);
mongoose.set('bufferTimeoutMS', 50);
await Secret.findOne({ name: 'hidden' }).exec().catch(() => {});
await Secret.find({ name: 'hidden' }).catch(() => {});
await new Secret({ name: 'hidden' }).save().catch(() => {});
${END}`,
};

/** The operations that the metrics must count. */
const EXPECTED = {
  ioredis: { 'redis get success': 4, 'redis set success': 1, 'redis other error': 1 },
  redis: { 'redis get success': 4, 'redis set success': 1, 'redis other error': 1 },
  mysql2: {
    'mysql select success': 2,
    'mysql insert success': 1,
    'mysql select error': 1,
    'mysql other success': 1,
    'mysql update success': 1,
  },
  mongoose: {},
};

const LINE = /^(\w+)\{system="(\w+)",operation="(\w+)",status="(\w+)"\} (\d+)$/;

for (const [name, program] of Object.entries(PROGRAMS)) {
  test(`${name}: operations are counted by name and outcome, and nothing else is told`, async (t) => {
    const { stdout, stderr } = await run(folder(t, { 'main.mjs': program }, import.meta.dirname), 'main.mjs');
    t.true(stderr.includes(name), stderr);
    t.notRegex(stdout, /secret|hidden|hack/i);
    const counts = { operations_total: {}, operation_duration_seconds_count: {} };
    for (const line of stdout.trim().split('\n')) {
      const [, metric, system, operation, status, count] = LINE.exec(line) ?? t.fail(line + stderr);
      counts[metric.replace('llmdevops_db_client_', '')][`${system} ${operation} ${status}`] = Number(count);
    }
    // The clients' own greetings are operations too.
    for (const [operation, count] of Object.entries(EXPECTED[name]))
      t.is(counts.operations_total[operation], count, stdout);
    t.deepEqual(counts.operation_duration_seconds_count, counts.operations_total);
  });
}
