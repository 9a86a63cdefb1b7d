// A RequestHead built from parts, for tests without an adaptor. Thread: both.

import type { FieldList, RequestHead } from '../../core/head.ts';

export interface HeadParts {
  readonly method: string;
  readonly target: string;
  readonly authority: string;
  readonly version: string;
  readonly bodyLength: number;
  readonly fields: FieldList;
}

/** A head with these parts; by default GET / of a.test in HTTP/1.1 without body and fields. */
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

/** The value of a field in a list, with its lines joined. @param name in lower case */
export function fieldOf(fields: FieldList, name: string): string | undefined {
  const values = fields.filter((_, index) => index % 2 === 1 && fields[index - 1]!.toLowerCase() === name);
  return values.length === 0 ? undefined : values.join(', ');
}
