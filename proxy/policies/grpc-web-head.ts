// The head of a gRPC-Web request, and the same as the head of a gRPC request (grpc/doc/PROTOCOL-WEB.md). Thread: both.

import { type FieldList, type RequestHead, UNKNOWN_LENGTH } from '../../core/head.ts';

const CONTENT_TYPE = /^application\/grpc-web(-text)?(?=[+;]|$)/i;
const ACCEPTS_TEXT = /application\/grpc-web-text/i;
const ACCEPTS_BINARY = /application\/grpc-web(?!-text)/i;

/** Whether a request is a gRPC-Web call, in either form. */
export function isGrpcWeb(head: RequestHead): boolean {
  const type = head.field('content-type');
  return type !== undefined && head.method === 'POST' && CONTENT_TYPE.test(type);
}

export class GrpcWebHead implements RequestHead {
  /** Whether it is the head of a gRPC request from now on. */
  isConverted = false;
  /** Whether the messages of the request are in base64. */
  readonly isText: boolean;
  /** Whether those of the response are to be. */
  readonly wantsText: boolean;
  readonly #head: RequestHead;
  readonly #type: string;

  /** @param head of a gRPC-Web request */
  constructor(head: RequestHead) {
    this.#head = head;
    this.#type = head.field('content-type')!;
    this.isText = CONTENT_TYPE.exec(this.#type)![1] !== undefined;
    const accept = head.field('accept') ?? '';
    this.wantsText = ACCEPTS_TEXT.test(accept) || (this.isText && !ACCEPTS_BINARY.test(accept));
  }

  convert(): void {
    this.isConverted = true;
  }

  get method(): string {
    return this.#head.method;
  }

  get target(): string {
    return this.#head.target;
  }

  get authority(): string {
    return this.#head.authority;
  }

  get version(): string {
    return this.#head.version;
  }

  get bodyLength(): number {
    const { bodyLength } = this.#head;
    return this.isConverted && this.isText && bodyLength !== 0 ? UNKNOWN_LENGTH : bodyLength;
  }

  get expectsContinue(): boolean {
    return this.#head.expectsContinue === true;
  }

  field(name: string): string | undefined {
    if (this.isConverted && name === 'content-type') return this.#grpcType;
    // A gRPC server refuses calls without it.
    if (this.isConverted && name === 'te') return 'trailers';
    return this.#head.field(name);
  }

  endToEndFields(): FieldList {
    const fields = this.#head.endToEndFields();
    if (!this.isConverted) return fields;
    return fields.map((text, at) => (at % 2 === 1 && isContentType(fields[at - 1]!) ? this.#grpcType : text));
  }

  get #grpcType(): string {
    return this.#type.replace(CONTENT_TYPE, 'application/grpc');
  }
}

function isContentType(name: string): boolean {
  return name.toLowerCase() === 'content-type';
}
