// A RequestHead made of its parts, for tests of what stands behind an adaptor. Thread: both.

import type { FieldList, RequestHead } from '../../core/head.ts';

export interface HeadParts {
  readonly method: string;
  readonly target: string;
  readonly authority: string;
  readonly version: string;
  readonly bodyLength: number;
  readonly fields: FieldList;
}

/** A head with these parts; the rest is GET / of a.test in HTTP/1.1 without body and fields. */
export function requestHead(parts: Partial<HeadParts> = {}): RequestHead {
  const { fields = [], ...rest } = parts;
  return {
    method: 'GET',
    target: '/',
    authority: 'a.test',
    version: '1.1',
    bodyLength: 0,
    ...rest,
    field: (name) => fieldOf(fields, name),
    endToEndFields: () => fields,
  };
}

/** The value of a field in a list, lines joined. @param name lower case */
export function fieldOf(fields: FieldList, name: string): string | undefined {
  const values = fields.filter((_, index) => index % 2 === 1 && fields[index - 1]!.toLowerCase() === name);
  return values.length === 0 ? undefined : values.join(', ');
}
