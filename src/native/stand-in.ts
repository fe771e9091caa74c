/**
 * Stands in for the addon if it cannot be loaded and METRICS_ENABLED is false: recording writes to memory that is never
 * read, scrapes are empty, and the endpoint is disabled. It is only loaded in that case.
 */
import type * as Addon from '../../dist/native';
import {
  catalogues,
  constants,
  defaultSettings,
  labelWords,
  operationsWithoutTokens,
  settings,
} from '../../dist/tables';

/** The bytes of a slab, as in the core. */
const SLAB_BYTES = 32 * 1024;

/** Every series is refused by the limit of its metric, so nothing grows: [of the metric, limit 0, no label, dropped]. */
const REFUSED = [0, 0, 0, 1];

/** The exposition of a registry without metrics. */
function emptyText(contentType: string): string {
  return contentType.includes('openmetrics') ? '# EOF\n' : '';
}

function emptyValues(): Addon.Values {
  return { text: '[]', numbers: new Float64Array() };
}

class Body implements Addon.NativeBody {
  readonly length = 0;
  read = (): number => 0;
  take = (): Buffer => Buffer.alloc(0);
  release(): void {}
}

class Clock implements Addon.NativeClock {
  freeze(): void {}
  advance(): void {}
  resume(): void {}
}

/** A family whose label sets are all over its limit, and dropped. */
class Family implements Addon.NativeFamily {
  readonly #description: Addon.FamilyDescription | undefined;

  constructor(description?: Addon.FamilyDescription) {
    this.#description = description;
  }

  addSeries = (): number[] => REFUSED;
  number = (): number => 0;
  addSeriesBeyond = (): number[] => [0, 0];
  clean = (): null => null;
  takeExpired = (): number[] => [];
  overflowSlot = (): number => 0;
  limits(): Addon.LimitsInForce {
    return { maxSeries: Number.POSITIVE_INFINITY, policy: 'drop', labels: [], labelLimits: [] };
  }
  // The caller drops a warning that could not be written.
  overflowWarning = (): Promise<string> => Promise.reject(new Error('There is nothing to warn of'));
  removeSeries = (): boolean => false;
  zeroSeries(): void {}
  seriesLabels = (): null => null;
  clear(): void {}
  read(): Addon.Values {
    const { name, help, kind, buckets, summary, aggregator } = this.#description as Addon.FamilyDescription;
    const bounds = summary?.quantiles ?? buckets;
    const family = { name, help, type: kind, aggregator, bounds, series: [] };
    return { ...emptyValues(), text: JSON.stringify([family]) };
  }
  setExemplar(): void {}
  advance(): void {}
  quantiles = (): number[] => [];
  nativeBuckets = (): number[] => [];
  forgotten = (): number[] => [];
  keepObservations(): void {}
  giveObservations(): void {}
}

class Registry implements Addon.NativeRegistry {
  #items = 0;

  #add = (): number => this.#items++;
  add = this.#add;
  addForeign = this.#add;
  addProcessFigure = this.#add;
  setForeign(): void {}
  collectorFailed(): void {}
  remove(): void {}
  clear(): void {}
  setDefaultLabels(): void {}
  setLimits(): void {}
  setTtl(): void {}
  setCreated(): void {}
  setUtf8(): void {}
  setSanitizer(): void {}
  cardinality = (): Addon.Cardinality => ({ series: 0, maxSeries: 0, bytes: 0, metrics: [] });
  mount(): void {}
  unmount = (): boolean => true;
  isSmall = (): boolean => true;
  encodeNow = ({ contentType }: Addon.Wanted) => ({ text: emptyText(contentType), mismatched: [] });
  encode = async (wanted: Addon.Wanted) => this.encodeNow(wanted);
  readNow = emptyValues;
  read = async () => emptyValues();
}

class Contributor implements Addon.NativeContributor {
  readonly #registry = new Registry();
  readonly #clock = new Clock();

  registry = (): Registry => this.#registry;
  clock = (): Clock => this.#clock;
  family = (description: Addon.FamilyDescription): Family => new Family(description);
  onExpired(): void {}
  scratch = (): number => 0;
  slab = (): ArrayBuffer => new ArrayBuffer(SLAB_BYTES);
  share = (): string => '';
  runFolder = (): null => null;
  sharedWith = (): number[] => [];
  wasRead = (): boolean => false;
  lookAfter = (): boolean => false;
  takeWarnings = (): string[] => [];
  setPorts(): void {}
  portUse = (): null => null;
}

class ProcessFigure implements Addon.NativeProcessFigure {
  readonly isStartTime = false;
  readonly name = '';
  readonly help = '';
  readonly kind = 'gauge';
  read = emptyValues;
}

/** Answers scrapes of a registry; a door never asks, because it is disabled. */
class Service implements Addon.NativeService {
  #answer = (): Addon.Answer => ({
    status: 200,
    headers: ['content-type', 'text/plain; version=0.0.4; charset=utf-8'],
    body: new Body(),
    mismatched: [],
  });
  receive = (): Addon.DoorStep => ({ kind: 'notOurs' });
  request = (): Addon.DoorStep => ({ kind: 'answer', answer: this.#answer() });
  verify = async (): Promise<Addon.DoorStep> => this.receive();
  authorize = this.receive;
  undecided = this.#answer;
  ready = this.#answer;
  isSmall = (): boolean => true;
  scrapeNow = this.#answer;
  scrape = async (): Promise<Addon.Answer> => this.#answer();
  hasRoom = (): boolean => true;
  gaveUp(): void {}
  setReady(): void {}
}

class Exporter implements Addon.NativeExporter {
  readonly url = '';
  readonly port = 0;
  beat(): void {}
  setReady(): void {}
  setCollects(): void {}
  async close(): Promise<void> {}
}

class Pusher implements Addon.NativePusher {
  readonly intervalMs = 0;
  setCollects(): void {}
  async flush(): Promise<void> {}
  async close(): Promise<void> {}
  beginClose(): void {}
  closeNow(): void {}
  stats = (): Addon.PushStats => ({
    pushes: 0,
    samples: 0,
    bytes: 0,
    failures: 0,
    dropped: 0,
    queued: 0,
    standsBy: false,
  });
}

class Ticket implements Addon.NativeTicket {
  begin = (): boolean => false;
  collected(): void {}
  checked(): void {}
  authorized(): void {}
  abandon(): void {}
}

class Delivery implements Addon.NativeDelivery {
  settle(): void {}
}

/** Makes the stand-in. What needs the addon all the same throws this error. */
export function createStandIn(error: Error): typeof Addon {
  const refuse = (): never => {
    throw error;
  };
  /** The defaults, and the options as they were given: nothing checks them. */
  class Config implements Addon.NativeConfig {
    readonly #given: Partial<Record<string, unknown>> = {};
    // The members that the library reads.
    static settings = () =>
      Object.entries(settings).flatMap(([options, names]) =>
        names.map((option) => ({ option, options })),
      ) as Addon.SettingDescription[];
    static warnings = (): string[] => [];

    set(option: string, { text, number, flag, list }: Addon.GivenValue): void {
      if (option === 'enabled' && flag === true) refuse();
      this.#given[option] = text ?? number ?? flag ?? list;
    }
    check(): void {}
    readOtel(): void {}
    // Without the addon there is no endpoint.
    values = (): typeof defaultSettings => ({ ...defaultSettings, ...this.#given, enabled: false });
  }
  return {
    NativeBody: Body,
    NativeClock: Clock,
    NativeConfig: Config,
    NativeContributor: Contributor,
    NativeDelivery: Delivery,
    NativeExporter: Exporter,
    NativeFamily: Family,
    NativeProcessFigure: ProcessFigure,
    NativePusher: Pusher,
    NativeRegistry: Registry,
    NativeService: Service,
    NativeTicket: Ticket,
    NativeVisit: class {},
    beatIntervalMs: () => 100,
    ...constants,
    addPackedSeries: () => false,
    catalogue: (agents) => catalogues[agents ? 'agent' : 'llm'].map((entry) => ({ ...entry, help: entry.name })),
    checkExemplar() {},
    findingKinds: () => [],
    flushSeries() {},
    isPortTaken: () => false,
    isMetricName: (name) => /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name),
    nativeBounds: () => [],
    observeNative() {},
    labelWords: () => labelWords.map((list) => ({ ...list, sentence: '' })),
    openTransport: refuse,
    operationsWithoutTokens: () => operationsWithoutTokens,
    parseExposition: refuse,
    parseProtobufExposition: refuse,
    processFigures: () => [],
    // Without the core nothing tells what in a text is a secret.
    redactForLog: () => '(not shown without the addon)',
    requestHeaders: () => [],
    startExporter: refuse,
    startPusher: refuse,
  };
}
