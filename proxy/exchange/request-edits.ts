// The changes that the policies of a route make to a request before an endpoint gets it. Thread: worker.

import type { FieldList } from '../../core/head.ts';
import type { StickyChoice } from '../policies/sticky-cookies.ts';

const NO_FIELDS: FieldList = [];

export class RequestEdits {
  /** Fields sent in addition to the client's: [name, value, ...]. */
  insertedFields: FieldList = NO_FIELDS;
  /** Whether the client's Cookie field is replaced: our own cookie was taken out of it. */
  replacesCookies = false;
  /** The endpoint that the client's sticky cookie names; null where it has no valid one. */
  stickyChoice: StickyChoice | null = null;

  reset(): void {
    this.insertedFields = NO_FIELDS;
    this.replacesCookies = false;
    this.stickyChoice = null;
  }

  insert(fields: FieldList): void {
    this.insertedFields = fields;
  }

  /** Replaces the client's cookies. @param fields inserted fields, the Cookie field included */
  replaceCookies(fields: FieldList): void {
    this.insertedFields = fields;
    this.replacesCookies = true;
  }

  stickTo(choice: StickyChoice | null): void {
    this.stickyChoice = choice;
  }
}
