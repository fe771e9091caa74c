// Tests process_start_time_seconds in a container whose /proc/stat has another boot time than the kernel, or none.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const package_ = fileURLToPath(new URL('../..', import.meta.url));
const program = `
  const { collectDefaultMetrics, register } = require('@llm-devops/prometheus-metrics');
  collectDefaultMetrics({ include: ['process'] });
  register.metrics().then((text) => {
    const shown = /^process_start_time_seconds (.*)$/m.exec(text)?.[1];
    console.log(JSON.stringify([shown, Date.now() / 1000 - process.uptime()]));
  });`;

const changes = {
  'another boot time': (stat) => stat.replace(/^btime .*$/m, 'btime 1000000000'),
  'no boot time': (stat) => stat.replace(/^btime .*\n/m, ''),
};

if (process.platform === 'linux') {
  for (const [title, change] of Object.entries(changes)) {
    test(`a container whose /proc/stat has ${title}`, (t) => {
      const folder = mkdtempSync(path.join(tmpdir(), 'stat-'));
      t.teardown(() => rmSync(folder, { recursive: true }));
      const file = path.join(folder, 'stat');
      writeFileSync(file, change(readFileSync('/proc/stat', 'utf8')));
      const script = 'mount --bind "$1" /proc/stat && exec "$2" -e "$3"';
      // As root of a namespace of its own, which needs no rights.
      const args = ['--map-root-user', '--mount', 'sh', '-c', script, 'sh', file, process.execPath, program];
      const [shown, expected] = JSON.parse(execFileSync('unshare', args, { cwd: package_, encoding: 'utf8' }));
      t.true(Math.abs(Number(shown) - expected) < 2, `${shown}, not ${expected}`);
    });
  }
} else {
  test('there is no /proc/stat on this platform', (t) => t.not(process.platform, 'linux'));
}
