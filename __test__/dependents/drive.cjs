// Starts one of the applications, sends it its requests, and prints what its endpoints answer, as JSON. Runs in a folder
// where the packages are installed: beside the real prom-client, or beside this library under its name.

const { createRequire } = require('node:module');
const { join } = require('node:path');

const [, , name] = process.argv;

/** Listens with a Node server, and returns its origin. */
const listen = (server) =>
  new Promise((resolve) => {
    const listening = server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${listening.address().port}`));
  });

async function main() {
  const application = require(`./applications/${name}.cjs`);
  const {
    origin,
    visits = [],
    scrapes = ['/metrics'],
    texts = [],
  } = await application({
    require: createRequire(join(process.cwd(), 'application.cjs')),
    listen,
  });
  const statuses = [];
  for (const [path, options] of visits) {
    const response = await fetch(`${origin}${path}`, options);
    await response.arrayBuffer();
    statuses.push(`${path} ${response.status}`);
  }
  // What is recorded when a response has ended may come after its end.
  await new Promise((resolve) => setTimeout(resolve, 200));
  const answers = [];
  for (const path of scrapes) {
    const response = await fetch(`${origin}${path}`);
    answers.push({
      path,
      status: response.status,
      type: response.headers.get('content-type'),
      text: await response.text(),
    });
  }
  for (const [path, text] of texts) answers.push({ path, text: await text() });
  process.stdout.write(JSON.stringify({ statuses, answers }), () => process.exit(0));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
