// Confirmation of a change: describes the effect before the user confirms or cancels. A change made by someone else in
// the meantime is not silently undone (If-Match). Runs in the browser.

import type { Change, EndpointAlone, Live, Row } from '../types.ts';
import { ApiError, readTag, sendChange } from '../data/api.ts';
import { consequenceOf } from '../data/consequence.ts';
import { byId, setText } from './dom.ts';

const VERBS = { ready: 'Make ready', drain: 'Drain', maintenance: 'Put in maintenance' };

interface Request {
  readonly row: Row;
  readonly live: Live;
  /** Null for a weight, which the form has. */
  readonly change: Change | null;
  tag: Promise<string>;
}

export class ChangeDialog {
  readonly #dialog = byId('confirm', HTMLDialogElement);
  readonly #title = byId('confirm-title', HTMLElement);
  readonly #text = byId('confirm-text', HTMLElement);
  readonly #error = byId('confirm-error', HTMLElement);
  readonly #go = byId('confirm-go', HTMLButtonElement);
  readonly #weightField = byId('weight-field', HTMLElement);
  readonly #weight = byId('weight', HTMLInputElement);
  readonly #reset = byId('weight-reset', HTMLButtonElement);
  readonly #onDone: (row: Row, changed: EndpointAlone) => void;
  #request: Request | null = null;

  constructor(onDone: (row: Row, changed: EndpointAlone) => void) {
    this.#onDone = onDone;
    byId('confirm-cancel', HTMLButtonElement).addEventListener('click', () => this.#dialog.close());
    this.#reset.addEventListener('click', () => void this.#send({ weight: null }));
    this.#weight.addEventListener('input', () => this.#describe());
    byId('confirm-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#send(this.#request?.change ?? { weight: this.#weight.valueAsNumber });
    });
    this.#dialog.addEventListener('close', () => {
      this.#request = null;
    });
  }

  open(live: Live, row: Row, wanted: Change | 'weight'): void {
    const isWeight = wanted === 'weight';
    const change = isWeight ? null : wanted;
    const tag = readTag(row.upstream, row.name);
    // An error is shown when the change is sent; until then no code waits for the tag.
    tag.catch(() => undefined);
    this.#request = { row, live, change, tag };
    this.#weightField.hidden = !isWeight;
    this.#weight.disabled = !isWeight;
    this.#weight.value = String(row.weight);
    this.#reset.hidden = !isWeight || row.weight === row.configuredWeight;
    const verb = change !== null && 'admin' in change ? VERBS[change.admin] : 'Set the weight';
    setText(this.#title, isWeight ? `Set the weight of ${row.key}?` : `${verb}: ${row.key}?`);
    setText(this.#go, verb);
    setText(this.#error, '');
    this.#describe();
    this.#setBusy(false);
    this.#dialog.showModal();
    if (isWeight) this.#weight.select();
  }

  #describe(): void {
    if (this.#request === null) return;
    const { live, row, change } = this.#request;
    const weight = this.#weight.valueAsNumber;
    const isNumber = Number.isInteger(weight);
    const { text, isGrave } = consequenceOf(live, row, change ?? { weight: isNumber ? weight : row.weight });
    setText(this.#text, change === null && !isNumber ? 'A weight is a whole number from 1 to 256.' : text);
    this.#text.classList.toggle('grave', isGrave);
    this.#go.classList.toggle('grave', isGrave);
  }

  async #send(change: Change): Promise<void> {
    const request = this.#request;
    if (request === null) return;
    this.#setBusy(true);
    setText(this.#error, '');
    try {
      const { upstream, name } = request.row;
      this.#onDone(request.row, await sendChange(upstream, name, change, await request.tag));
      if (this.#request === request) this.#dialog.close();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (this.#request !== request) return;
      setText(this.#error, `Not done: ${error.message}`);
      // The user may still want the change after reading this.
      if (error.status === 412) request.tag = readTag(request.row.upstream, request.row.name);
    } finally {
      // The dialog may have been closed, and opened for another endpoint, before the reply.
      if (this.#request === request) this.#setBusy(false);
    }
  }

  #setBusy(isBusy: boolean): void {
    this.#go.disabled = isBusy;
    this.#reset.disabled = isBusy;
  }
}
