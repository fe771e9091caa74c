/** Puts the page together: reads the facts that the server has written, starts the scraper, and shows each scrape. */

import { cardinalityRows } from './cardinality.mjs';
import { Card } from './cards.mjs';
import { Detail, subjectOfCard, subjectOfSeries } from './detail.mjs';
import { byId, colours, el, setText } from './dom.mjs';
import { showText } from './format.mjs';
import { List } from './list.mjs';
import { SECTIONS, TILES } from './panels.mjs';
import { Scraper } from './scraper.mjs';
import { Store } from './store.mjs';
import { TileElement } from './tiles.mjs';

/** @type {{ path: string, version: string, limits: Record<string, number> }} */
const facts = JSON.parse(byId('facts').textContent);
/** The page may be mounted below a path, of which the server does not know. */
const base = location.pathname.replace(/\/+$/, '');
const url = base + facts.path;

const store = new Store();
const detail = new Detail();
const list = new List(store, (family, series) => openDetail(subjectOfSeries(store, family, series)));
const tiles = TILES.map((tile) => new TileElement(tile));
const sections = SECTIONS.map(({ id, panels }) => ({
  id,
  cards: panels.map((panel) => new Card(panel, (card) => openDetail(subjectOfCard(store, card)))),
  hasAny: false,
}));
/** The tables of the page are made anew this often, in scrapes. */
const TABLE_EVERY = 5;

let theme = colours();
let windowMs = 300_000;
let tab = '';

function start() {
  setText(byId('host'), location.host + base);
  document.title = `Metrics of ${location.host}${base}`;
  setText(byId('version'), `prometheus-metrics ${facts.version}`);
  for (const path of [facts.path, '/health', '/ready']) byId('links').append(el('a', { href: base + path }, path));
  byId('tiles').append(...tiles.map(({ root }) => root));
  byId('list').append(list.root);
  for (const { id, cards } of sections) byId(`${id}-cards`).append(...cards.map(({ root }) => root));
  startTheme();
  startControls();
  startTabs();
  // A route of one path has the exposition under that path, for who does not ask for HTML.
  const scraper = new Scraper([url, location.pathname], store, (report) => {
    tell(report);
    if (report.state === 'live' && report.bytes !== undefined) showScrape();
  });
  startKeys(scraper);
  byId('pause').addEventListener('click', () => pause(scraper));
}

function showScrape() {
  let some = 0;
  for (const tile of tiles) if (tile.sample(store)) some++;
  byId('no-tiles').hidden = some > 0;
  for (const section of sections) {
    section.hasAny = false;
    for (const card of section.cards) {
      const has = card.history.sample(store);
      card.root.hidden = !has;
      section.hasAny ||= has;
    }
    byId(`tab-${section.id}`).hidden = !section.hasAny;
  }
  if (tab === '') choose(location.hash.slice(1) || 'overview', false);
  if (store.latest % TABLE_EVERY === 0) showTable();
  draw();
  document.documentElement.dataset.scrape = String(store.latest);
}

/** Draws what the chosen tab shows. */
function draw() {
  if (store.latest < 0) return;
  if (tab === 'overview') for (const tile of tiles) tile.draw(store, theme);
  for (const section of sections)
    if (section.id === tab) for (const card of section.cards) if (!card.root.hidden) card.draw(store, theme, windowMs);
  if (tab === 'families' || tab === 'overview') list.update(theme);
  detail.update(theme, windowMs);
}

function showTable() {
  byId('cardinality').replaceChildren(...cardinalityRows(store, facts.limits));
}

/** @param {import('./detail.mjs').Subject} subject */
function openDetail(subject) {
  detail.open(subject);
  draw();
}

/** @param {import('./scraper.mjs').Report} report */
function tell({ state, error = '', intervalMs, bytes, ms }) {
  document.documentElement.dataset.state = state;
  setText(byId('state'), state === 'failed' ? error : state);
  byId('alert').hidden = state !== 'failed';
  setText(byId('alert'), state === 'failed' ? `${error}. Trying again.` : '');
  if (bytes === undefined || ms === undefined) return;
  const every = `every ${showText(Math.round(intervalMs / 100) / 10, 's')}`;
  const series = `${store.seriesCount.toLocaleString('en')} series in ${store.families.size.toLocaleString('en')} families`;
  setText(
    byId('facts-line'),
    `${series}, ${store.size.toLocaleString('en')} samples, ${showText(bytes, 'B')} in ${showText(ms / 1000, 's')}, ${every}`,
  );
}

/** @param {Scraper} scraper */
function pause(scraper) {
  scraper.isPaused = !scraper.isPaused;
  setText(byId('pause'), scraper.isPaused ? 'Resume' : 'Pause');
  byId('pause').setAttribute('aria-pressed', String(scraper.isPaused));
}

function startControls() {
  byId('window').addEventListener('change', (/** @type {any} */ { target }) => {
    windowMs = Number(target.value) * 1000;
    draw();
  });
  const filter = () => {
    list.filter(byId('search').value, byId('order').value);
    setText(byId('found'), `${list.found.toLocaleString('en')} families`);
  };
  byId('search').addEventListener('input', filter);
  byId('order').addEventListener('change', filter);
}

/** The theme is the system's, until another is chosen. */
function startTheme() {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const apply = () => {
    const chosen = stored('metrics-theme') ?? (dark.matches ? 'dark' : 'light');
    document.documentElement.dataset.theme = chosen;
    theme = colours();
    setText(byId('theme'), chosen === 'dark' ? 'Light' : 'Dark');
    draw();
  };
  dark.addEventListener('change', apply);
  byId('theme').addEventListener('click', () => {
    const next = document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark';
    remember('metrics-theme', next);
    apply();
  });
  apply();
}

/**
 * Storage may be forbidden.
 *
 * @param {string} key
 */
function stored(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/**
 * @param {string} key
 * @param {string} value
 */
function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    document.documentElement.dataset.theme = value;
  }
}

function tabs() {
  return [...byId('tabs').children].filter(({ hidden }) => !hidden);
}

function startTabs() {
  for (const button of byId('tabs').children) button.addEventListener('click', () => choose(button.dataset.tab, true));
  byId('tabs').addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    const shown = tabs();
    const next = shown[(shown.findIndex(({ dataset }) => dataset.tab === tab) + step + shown.length) % shown.length];
    choose(next.dataset.tab, true);
    next.focus();
  });
  addEventListener('hashchange', () => choose(location.hash.slice(1), false));
}

/**
 * @param {string} wanted
 * @param {boolean} byHand
 */
function choose(wanted, byHand) {
  const shown = tabs();
  tab = shown.some(({ dataset }) => dataset.tab === wanted) ? wanted : 'overview';
  for (const button of byId('tabs').children) {
    const isOn = button.dataset.tab === tab;
    button.setAttribute('aria-selected', String(isOn));
    button.tabIndex = isOn ? 0 : -1;
    if (isOn) button.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    byId(`panel-${button.dataset.tab}`).hidden = !isOn;
  }
  // The list stands on two tabs.
  byId(tab === 'overview' ? 'overview-list' : 'families-list').append(byId('explorer'));
  if (byHand) history.replaceState(null, '', `#${tab}`);
  // Cards that were hidden have no size before the browser has laid them out.
  for (const section of sections)
    if (section.id === tab)
      for (const card of section.cards)
        if (!card.root.hidden && store.latest >= 0) card.draw(store, theme, windowMs, true);
  if (tab === 'cardinality') showTable();
  draw();
}

/** @param {Scraper} scraper */
function startKeys(scraper) {
  addEventListener('keydown', (event) => {
    const isTyping = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
    if (event.key === 'Escape' && isTyping) /** @type {HTMLElement} */ (event.target).blur();
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey || byId('help').open || detail.isOpen) return;
    const { key } = event;
    if (key === '/') {
      event.preventDefault();
      if (tab !== 'overview' && tab !== 'families') choose('families', true);
      byId('search').focus();
    } else if (key === 'p') pause(scraper);
    else if (key === 't') byId('theme').click();
    else if (key === '?') byId('help').showModal();
    else if (key >= '1' && key <= '9') {
      const button = tabs()[Number(key) - 1];
      if (button !== undefined) choose(button.dataset.tab, true);
    }
  });
  byId('show-help').addEventListener('click', () => byId('help').showModal());
  byId('help-close').addEventListener('click', () => byId('help').close());
}

start();
