// Loaded before a block of the documentation (`node --import`): its servers listen at ports of their own and print them;
// each line on standard input is answered with what the default registry shows.

import http from 'node:http';
import { register } from '@llm-devops/prometheus-metrics';

const { listen } = http.Server.prototype;
http.Server.prototype.listen = function () {
  this.once('listening', () => console.log(`port ${this.address().port}`));
  return listen.call(this, 0, '127.0.0.1');
};
process.stdin.on('data', async () => console.log(`${await register.metrics()}# told`));
// The program ends when its own work ends.
process.stdin.unref?.();
