// Makes certificates for a test with openssl, in a folder that is removed after it.

import { execFile } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const newFolder = () => mkdtemp(join(tmpdir(), 'prometheus-metrics-tls-'));
const key = (name) => ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`];
const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1\n';

/** A folder with the files of `certificates()`, made once a process: each takes some processes of openssl. */
let made;

async function make() {
  const folder = await newFolder();
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const openssl = (...args) => run('openssl', args, { cwd: folder });
  const authority = (name) =>
    openssl('req', '-x509', ...key(name), '-out', `${name}.crt`, '-subj', `/CN=${name}`, '-days', '2');
  const signed = async (name, by, extension) => {
    await openssl('req', ...key(name), '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    await writeFile(join(folder, `${name}.ext`), extension);
    const signing = ['-CA', `${by}.crt`, '-CAkey', `${by}.key`, '-CAcreateserial', '-days', '2'];
    await openssl('x509', '-req', '-in', `${name}.csr`, ...signing, '-extfile', `${name}.ext`, '-out', `${name}.crt`);
  };
  await Promise.all([authority('ca'), authority('other-ca')]);
  await signed('server', 'ca', names);
  await signed('next-server', 'ca', names);
  await signed('client', 'ca', 'extendedKeyUsage=clientAuth\nsubjectAltName=DNS:scraper\n');
  await signed('stranger', 'other-ca', 'extendedKeyUsage=clientAuth\n');
  return folder;
}

/** Two authorities, two certificates for this machine, and a client of each authority. */
export async function certificates(t) {
  made ??= make();
  const folder = await newFolder();
  t.teardown(() => rm(folder, { recursive: true }));
  await cp(await made, folder, { recursive: true });
  const path = (name) => join(folder, name);
  const openssl = (...args) => run('openssl', args, { cwd: folder });
  /** A certificate of the first authority that is valid between these times (YYYYMMDDHHMMSSZ). */
  const dated = async (name, from, until) => {
    await openssl('req', ...key(name), '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    const files = { [`${name}.db`]: '', [`${name}.serial`]: '1000\n', [`${name}.ext`]: names };
    files[`${name}.conf`] =
      `[ca]\ndefault_ca=own\n[own]\ndatabase=${name}.db\nserial=${name}.serial\nnew_certs_dir=.\npolicy=any\n` +
      'default_md=sha256\n[any]\ncommonName=supplied\n';
    for (const [file, text] of Object.entries(files)) await writeFile(path(file), text);
    const signing = ['-cert', 'ca.crt', '-keyfile', 'ca.key', '-in', `${name}.csr`, '-out', `${name}.crt`];
    const times = ['-startdate', from, '-enddate', until, '-extfile', `${name}.ext`];
    await openssl('ca', '-batch', '-notext', '-config', `${name}.conf`, ...signing, ...times);
  };
  return {
    folder,
    path,
    dated,
    read: (name) => readFileSync(path(name)),
    /** The certificate and key of a client of this name. */
    client: (name) => ({ cert: readFileSync(path(`${name}.crt`)), key: readFileSync(path(`${name}.key`)) }),
  };
}
