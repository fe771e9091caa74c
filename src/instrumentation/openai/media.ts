/**
 * Reads answers and streams of images, speech and transcriptions.
 */
import type { LlmMedia } from '../../collectors/llm/request';
import type { AnswerEnd, ChunkReader, Endpoint, RequestBody } from '../api-client/endpoint';
import { findFailure } from '../failure';
import { findUsage, type ReportedUsage, readAnswerUsage, readUsage } from '../usage';

interface Images {
  readonly data?: readonly unknown[] | null;
}

/** The provider bills a transcription by tokens or by the second. */
interface Transcription {
  readonly usage?: { readonly seconds?: number } | null;
  readonly duration?: number | string | null;
}

interface MediaEvent {
  readonly type?: string;
}

function readImages(answer: unknown): AnswerEnd {
  const media = makeMedia('images', (answer as Images).data?.length);
  return { end: withMedia(readAnswerUsage(answer), media), failure: findFailure(answer) };
}

function readSpeech(_answer: unknown, { input }: RequestBody): AnswerEnd {
  return { end: { media: makeMedia('characters', typeof input === 'string' ? input.length : undefined) } };
}

function readTranscription(answer: unknown): AnswerEnd {
  // For a subtitle format the answer is a string.
  if (typeof answer !== 'object' || answer === null) return { end: {} };
  const { usage, duration } = answer as Transcription;
  const media = makeMedia('audio_seconds', usage?.seconds ?? Number(duration ?? 0));
  return { end: withMedia(readAnswerUsage(answer), media), failure: findFailure(answer) };
}

function withMedia(end: ReportedUsage, media: LlmMedia | undefined): ReportedUsage {
  end.media = media;
  return end;
}

function makeMedia(unit: LlmMedia['unit'], amount: number | undefined): LlmMedia | undefined {
  return amount !== undefined && amount > 0 && Number.isFinite(amount) ? { unit, amount } : undefined;
}

/** Reads a stream's events. Events whose type ends with `.completed` or is `transcript.text.done` hold the usage. */
class MediaReader implements ChunkReader {
  readonly #images: boolean;
  #usage = readUsage(undefined);
  #finished = 0;
  #began = false;

  constructor(images: boolean) {
    this.#images = images;
  }

  get complete(): boolean {
    return this.#finished > 0;
  }

  chunk(event: unknown): boolean {
    const { type } = event as MediaEvent;
    if (typeof type !== 'string') return this.#began;
    if (type.endsWith('.completed') || type === 'transcript.text.done') {
      this.#finished++;
      this.#usage = readUsage(findUsage(event));
    }
    this.#began = true;
    return true;
  }

  readEnd(): AnswerEnd {
    const media = this.#images ? makeMedia('images', this.#finished) : undefined;
    return { end: withMedia(this.#usage, media) };
  }
}

const image = { operation: 'image', readEnd: readImages } as const;
const transcribing = { operation: 'transcription', readEnd: readTranscription } as const;

export const mediaEndpoints: readonly Endpoint[] = [
  { ...image, path: 'images/generations', chunkReader: () => new MediaReader(true) },
  { ...image, path: 'images/edits', chunkReader: () => new MediaReader(true) },
  { ...image, path: 'images/variations' },
  { path: 'audio/speech', operation: 'speech', readEnd: readSpeech },
  { ...transcribing, path: 'audio/transcriptions', chunkReader: () => new MediaReader(false) },
  { ...transcribing, path: 'audio/translations' },
];
