/**
 * Structural types for the parts of @google/genai that are used. The package does not depend on the SDK.
 */

/** A `GoogleGenAI`. */
export interface GoogleGenAiClientLike {
  readonly vertexai?: boolean;
  readonly models: object;
}

/** The parameter of the client's methods. */
export interface RequestLike {
  readonly model?: unknown;
  readonly config?:
    | {
        readonly abortSignal?: { readonly aborted?: boolean; readonly reason?: unknown } | undefined;
        readonly httpOptions?: { readonly baseUrl?: string | undefined } | undefined;
      }
    | undefined;
}

export interface PartLike {
  readonly text?: string;
  readonly thought?: boolean;
  readonly functionCall?: object;
  readonly inlineData?: { readonly mimeType?: string };
  readonly executableCode?: object;
}

/** An answer, or a chunk of a stream. */
export interface ContentResponseLike {
  readonly candidates?: readonly {
    readonly content?: { readonly parts?: readonly PartLike[] };
    readonly finishReason?: string;
  }[];
  readonly promptFeedback?: { readonly blockReason?: string };
  readonly modelVersion?: string;
  readonly usageMetadata?: object;
}

export interface EmbedResponseLike {
  readonly usageMetadata?: object;
  readonly embeddings?: readonly { readonly statistics?: { readonly tokenCount?: number } }[];
}

export interface ImagesResponseLike {
  readonly generatedImages?: readonly {
    readonly image?: { readonly imageBytes?: string; readonly gcsUri?: string };
    readonly raiFilteredReason?: string;
  }[];
}
