/**
 * Answers that are pictures and sounds, and texts of sounds.
 */
import type { LlmUsage } from '../../collectors/llm/request';
import type { Answered, Endpoint, Reading } from '../stainless/wire';
import { type InputOutputUsage, inputOutputUsage } from './usage';

interface Images {
  readonly data?: readonly unknown[] | null;
  readonly usage?: InputOutputUsage | null;
}

/** Transcriptions are paid by tokens or by the second. */
interface Transcription {
  readonly usage?: (InputOutputUsage & { readonly seconds?: number }) | null;
  readonly duration?: number | string | null;
}

interface MediaEvent {
  readonly type?: string;
  readonly usage?: InputOutputUsage | null;
}

function images(answer: unknown): Answered {
  const { data, usage } = answer as Images;
  return { end: inputOutputUsage(usage), media: mediaOf('images', data?.length) };
}

function speech(_answer: unknown, { input }: Readonly<Record<string, unknown>>): Answered {
  return { end: {}, media: mediaOf('characters', typeof input === 'string' ? input.length : undefined) };
}

function transcription(answer: unknown): Answered {
  // Where subtitles are asked for, the answer is a text.
  if (typeof answer !== 'object' || answer === null) return { end: {} };
  const { usage, duration } = answer as Transcription;
  return { end: inputOutputUsage(usage), media: mediaOf('audio_seconds', usage?.seconds ?? Number(duration ?? 0)) };
}

function mediaOf(unit: NonNullable<Answered['media']>['unit'], amount: number | undefined): Answered['media'] {
  return amount !== undefined && amount > 0 && Number.isFinite(amount) ? { unit, amount } : undefined;
}

/** Reads events of which those that end with `.completed` or `.done` carry the usage. */
class MediaReading implements Reading {
  readonly #images: boolean;
  #usage: LlmUsage = {};
  #finished = 0;
  #began = false;

  constructor(images: boolean) {
    this.#images = images;
  }

  get complete(): boolean {
    return this.#finished > 0;
  }

  chunk(event: unknown): boolean {
    const { type, usage } = event as MediaEvent;
    if (typeof type !== 'string') return this.#began;
    if (type.endsWith('.completed') || type === 'transcript.text.done') {
      this.#finished++;
      this.#usage = inputOutputUsage(usage);
    }
    this.#began = true;
    return true;
  }

  answered(): Answered {
    return { end: this.#usage, media: this.#images ? mediaOf('images', this.#finished) : undefined };
  }
}

const image = { resource: 'images', operation: 'image', answered: images } as const;
const transcribing = { method: 'create', operation: 'transcription', answered: transcription } as const;

export const mediaEndpoints: readonly Endpoint[] = [
  { ...image, method: 'generate', reading: () => new MediaReading(true) },
  { ...image, method: 'edit', reading: () => new MediaReading(true) },
  { ...image, method: 'createVariation' },
  { resource: 'audio.speech', method: 'create', operation: 'speech', answered: speech },
  { ...transcribing, resource: 'audio.transcriptions', reading: () => new MediaReading(false) },
  { ...transcribing, resource: 'audio.translations' },
];
