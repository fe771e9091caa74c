// Tests that every alert has a severity, a meaning and a runbook, and uses existing labels.

import { readFile } from 'node:fs/promises';
import test from 'ava';
import { namesIn } from './support/promql.mjs';
import { readRules } from './support/rules.mjs';

const PAGE = 'https://github.com/llm-devops/prometheus-metrics/blob/main/docs/runbooks.md';
const rules = await readRules();
const alerts = rules.filter(({ alert }) => alert !== undefined);

/** Makes anchors as code forges do, for headings that consist only of words. */
function anchorsIn(page) {
  return [...page.matchAll(/^##+ (.*)$/gm)].map(([, heading]) => heading.toLowerCase().replaceAll(' ', '-'));
}

test('names are unique', (t) => {
  const names = rules.map(({ record, alert }) => record ?? alert);
  t.is(new Set(names).size, names.length);
  t.true(alerts.length >= 20);
});

test('every alert has what an on-call engineer needs', (t) => {
  for (const { alert, labels, annotations, for: pending } of alerts) {
    t.regex(pending ?? '', /^\d+m$/, alert);
    t.deepEqual(Object.keys(labels), ['severity'], alert);
    t.true(['critical', 'warning', 'info'].includes(labels.severity), alert);
    t.deepEqual(Object.keys(annotations), ['summary', 'description', 'runbook_url'], alert);
    for (const text of Object.values(annotations)) t.true(text.length > 10, alert);
  }
});

test('runbooks have a section for each alert, and each section has instructions', async (t) => {
  const page = await readFile(new URL('../../docs/runbooks.md', import.meta.url), 'utf8');
  const anchors = anchorsIn(page);
  t.is(new Set(anchors).size, anchors.length);
  for (const { alert, annotations } of alerts) {
    const [url, anchor] = annotations.runbook_url.split('#');
    t.is(url, PAGE, alert);
    t.true(anchors.includes(anchor), `${alert}: ${anchor} of ${anchors.join(', ')}`);
    const section = page.split(/^## /m)[anchors.indexOf(anchor) + 1];
    t.true(section.includes(`\`${alert}\``), `the section ${anchor} names ${alert}`);
    t.regex(section, /^1\. /m, `the section ${anchor} says what to do`);
  }
});

test('annotations show labels that the alert has', (t) => {
  for (const { alert, expr, annotations } of alerts) {
    const { metrics, labels } = namesIn(expr);
    // Recorded metrics have the labels that their names begin with.
    const fromNames = metrics.flatMap(({ name }) => (name.includes(':') ? labelsOfRecord(name) : []));
    const whole = labels.length === 0 || /\bon \(/.test(expr) ? ['job', 'instance'] : [];
    for (const text of Object.values(annotations)) {
      for (const [, label] of text.matchAll(/\$labels\.(\w+)/g)) {
        t.true([...labels, ...fromNames, ...whole].includes(label), `${alert}: ${label}`);
      }
    }
  }
});

function labelsOfRecord(name) {
  const record = rules.find((rule) => rule.record === name);
  return namesIn(record.expr).labels;
}

test('names of recorded metrics contain their labels, source and operation', (t) => {
  for (const { record, expr } of rules.filter((rule) => rule.record !== undefined)) {
    t.regex(record, /^[a-z_]+:llmdevops_[a-z_]+:[a-z0-9]+(_rate\d+[mhd])?$/);
    const [level] = record.split(':');
    const labels = [...new Set(namesIn(expr).labels.filter((label) => label !== 'le'))];
    t.is(level, labels.join('_'), record);
  }
});
