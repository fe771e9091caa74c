// Every link between files of the repository leads to a file that exists, and to a heading or an anchor of it.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'ava';
import { pageNames, ROOT } from './support/pages.mjs';

const read = (name) => readFileSync(join(ROOT, name), 'utf8');
const others = ['.github', 'benches'].flatMap((folder) =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${folder}/${name}`),
);

/** A page without its code blocks. */
const prose = (text) => text.replace(/^ *```[\s\S]*?^ *```/gm, '');

/** The anchor that GitHub gives a heading: letters, digits, `-` and `_` in lower case, `-` for each blank. */
function anchorOf(heading) {
  const text = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
  return text.replace(/[^\p{L}\p{N}\-_ ]/gu, '').replaceAll(' ', '-');
}

const anchors = new Map();

/** The anchors of a file; each file is read once. */
function anchorsIn(name) {
  if (!anchors.has(name)) anchors.set(name, anchorsOf(read(name)));
  return anchors.get(name);
}

/** The anchors of a page. A heading that comes again gets a number. */
function anchorsOf(text) {
  const seen = new Map();
  const headings = [...prose(text).matchAll(/^#{1,6} (.*)$/gm)].map(([, heading]) => {
    const anchor = anchorOf(heading);
    const times = seen.get(anchor) ?? 0;
    seen.set(anchor, times + 1);
    return times === 0 ? anchor : `${anchor}-${times}`;
  });
  return new Set([...headings, ...[...text.matchAll(/<a id="([^"]+)">/g)].map(([, id]) => id)]);
}

/** The links of a page that lead nowhere. */
function deadLinks(page, text) {
  const own = anchorsOf(text);
  const links = [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link);
  return links.filter((link) => {
    // Pages of other sites, and of this repository's own site.
    if (/^[a-z]+:/.test(link) || link.startsWith('../security/')) return false;
    const [path, anchor] = link.split('#');
    const target = path === '' ? page : join(dirname(page), path);
    if (!existsSync(join(ROOT, target))) return true;
    if (anchor === undefined || !target.endsWith('.md')) return false;
    return !(target === page ? own : anchorsIn(target)).has(anchor);
  });
}

test('every link leads to a file and a heading that exist', (t) => {
  const pages = [...pageNames(), ...others];
  t.true(pages.length > 60, `${pages.length} pages`);
  const dead = pages.flatMap((page) => deadLinks(page, read(page)).map((link) => `${page}: ${link}`));
  t.deepEqual(dead, []);
});

test('dead links are found', (t) => {
  const page = `# A page

## Two \`words\`, here

## Again

## Again

[fine](#two-words-here) [fine](#again-1) [fine](https://example.com/#x) [fine](docs/labels.md)

[one](#gone) [two](gone.md) [three](docs/labels.md#gone) [four](#again-2)

\`\`\`md
[in a block](gone.md)
\`\`\`
`;
  t.deepEqual(deadLinks('README.md', page), ['#gone', 'gone.md', 'docs/labels.md#gone', '#again-2']);
});
