/**
 * The way of pushes to their receiver: a worker thread for each pusher, which sends by Node.js' own `http` and `https`. The core
 * hands it requests and judges the answers, so neither needs the thread that starts the pusher: it may be blocked, or ending.
 */
import { Worker } from 'node:worker_threads';
import { ConfigurationError, EndpointError, messageOf } from '../errors';
import { addonFile } from '../native/addon';

/**
 * The worker's program. It is a text, because a bundler would not leave a file that a worker can load.
 *
 * A connection without a request closes after a second: the next push comes after an interval, and receivers close connections
 * that are idle for long. One that has closed just when it was used again is replaced at once. Of an answer's body only the
 * beginning is read, where an error message is.
 */
const WORKER = `
'use strict';
const { createRequire } = require('node:module');
const { parentPort, workerData: file } = require('node:worker_threads');
const http = require('node:http');
const https = require('node:https');
const tls = require('node:tls');
const addon = createRequire(file)(file);
const TEXT_BYTES = 2048;
const NO_CONNECTION = 0, BROKEN = 1, TIMEOUT = 2;
const proxyEnv = process.env.NODE_USE_ENV_PROXY === '1' ? process.env : undefined;
const kept = { keepAlive: true, timeout: 1000, proxyEnv };
const plain = new http.Agent(kept);
let secure, known;

function secureAgent(texts) {
  const now = JSON.stringify(texts);
  if (now !== known) {
    const [ca, cert, key] = texts.map((text) => text || undefined);
    const of = tls.getCACertificates;
    const context = { ca: ca ?? (of && [...of('default'), ...of('system')]), cert, key };
    const secureContext = tls.createSecureContext(context);
    secure?.destroy();
    secure = new https.Agent({ ...kept, secureContext });
    known = now;
  }
  return secure;
}

function send({ delivery, isSecure, port, texts, headers, body, timeoutMs }) {
  const [method, host, path, ...certificates] = texts;
  const pieces = [];
  let length = 0, reason = NO_CONNECTION;
  let request, response;
  const settle = (why, error) => {
    clearTimeout(timer);
    if (response) {
      const { statusCode, rawHeaders } = response;
      delivery?.settle(statusCode, rawHeaders, Buffer.concat(pieces).toString('latin1', 0, TEXT_BYTES));
    } else delivery?.settle(why, [], error?.message || String(error?.code ?? error));
    delivery = undefined;
  };
  const timer = setTimeout(() => { settle(TIMEOUT); request?.destroy(); }, timeoutMs);
  const opened = () => { reason = BROKEN; };
  const attempt = () => {
    const agent = isSecure ? secureAgent(certificates) : plain;
    request = (isSecure ? https : http).request({ agent, method, host, port, path });
    for (let at = 0; at < headers.length; at += 2) request.setHeader(headers[at], headers[at + 1]);
    request.on('socket', (socket) => {
      if (request.reusedSocket) opened();
      else socket.once(isSecure ? 'secureConnect' : 'connect', opened);
    });
    request.on('error', (error) => {
      if (request.reusedSocket && !response && delivery) start();
      else settle(reason, error);
    });
    request.on('response', (answer) => {
      response = answer;
      answer.on('error', () => {}).on('end', settle).on('close', settle);
      answer.on('data', (piece) => {
        pieces.push(piece);
        length += piece.length;
        if (length > TEXT_BYTES) answer.destroy();
      });
    });
    request.end(body);
  };
  const start = () => {
    try {
      attempt();
    } catch (error) {
      settle(reason, error);
      request?.destroy();
    }
  };
  start();
}

parentPort.postMessage(addon.openTransport(send));
`;

/** A worker that sends for one pusher, and the number by which the addon knows it. */
export interface Transport {
  readonly number: number;
  readonly worker: Worker;
}

/**
 * Starts a worker. It keeps the process alive until `unref()`, and ends when its pusher has ended.
 *
 * @throws {ConfigurationError} `INVALID_CONFIG` if the process may not start workers, or the file of the addon is unknown
 * @throws {EndpointError} `PUSH_FAILED` if the worker does not start
 */
export async function openTransport(): Promise<Transport> {
  const worker = startWorker();
  try {
    const number = await new Promise<number>((resolve, reject) => {
      worker.once('message', resolve);
      // It stays: an error without a listener would end the process.
      worker.on('error', reject);
      worker.once('exit', () => reject(new Error('it has ended')));
    });
    return { number, worker };
  } catch (error) {
    throw new EndpointError('PUSH_FAILED', `The worker thread that sends pushes does not start: ${messageOf(error)}`);
  }
}

function startWorker(): Worker {
  const workerData = addonFile();
  if (workerData === undefined) {
    throw new ConfigurationError(
      'INVALID_CONFIG',
      'Expected the addon in a file that the worker thread that sends pushes can load, but it is unknown which file it is: ' +
        'leave the package outside the bundle, or name the file in METRICS_ADDON_PATH',
    );
  }
  // Modules that a program preloads, such as instrumentations, do not belong into this worker.
  const { NODE_OPTIONS: _, ...env } = process.env;
  try {
    return new Worker(WORKER, { eval: true, name: 'prometheus-push', execArgv: [], env, workerData });
  } catch (error) {
    if ((error as NodeJS.ErrnoException | undefined)?.code !== 'ERR_ACCESS_DENIED') throw error;
    throw new ConfigurationError(
      'INVALID_CONFIG',
      'Expected the permission to start a worker thread, which sends pushes, but Node.js denies it: start the program with ' +
        '--allow-worker',
    );
  }
}
