// Makes certificates for one test: an authority, and a server and a client certificate that it signed. openssl makes
// them, so that this library does not define what a certificate is.

import { join } from 'node:path';
import { run, temporaryFolder } from './processes.mjs';

/** @returns files, PEM: `ca`, and `server` and `client` with `cert` and `key`. */
export async function makeCertificates(t) {
  const folder = await temporaryFolder(t);
  const ca = { cert: join(folder, 'ca.pem'), key: join(folder, 'ca.key') };
  await certify(ca, 'An authority', ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign']);
  const issue = async (name, extensions) => {
    const files = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
    await certify(files, name, ['basicConstraints=critical,CA:FALSE', ...extensions], ca);
    return files;
  };
  return {
    ca: ca.cert,
    server: await issue('server', ['subjectAltName=IP:127.0.0.1,DNS:localhost', 'extendedKeyUsage=serverAuth']),
    client: await issue('client', ['subjectAltName=DNS:scraper.example', 'extendedKeyUsage=clientAuth']),
  };
}

async function certify({ cert, key }, name, extensions, issuer) {
  const { code, stderr } = await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', `/CN=${name}`, '-keyout', key, '-out', cert],
    ...extensions.flatMap((extension) => ['-addext', extension]),
    ...(issuer ? ['-CA', issuer.cert, '-CAkey', issuer.key] : []),
  ]);
  if (code !== 0) throw new Error(`openssl did not make ${cert}:\n${stderr}`);
}
