// Confirmation of a change: describes the effect before the user confirms or cancels. A change made by someone else in
// the meantime is not silently undone (If-Match). Runs in the browser.

/** @import { Change, EndpointAlone, Live, Row } from './types.d.ts' */

import { ApiError, askTag, sendChange } from './api.js';
import { byId, setText } from './dom.js';
import { consequenceOf } from './model.js';

const VERBS = { ready: 'Make ready', drain: 'Drain', maintenance: 'Put in maintenance' };

export class ChangeDialog {
  #dialog = byId('confirm', HTMLDialogElement);
  #form = byId('confirm-form', HTMLFormElement);
  #title = byId('confirm-title', HTMLElement);
  #text = byId('confirm-text', HTMLElement);
  #error = byId('confirm-error', HTMLElement);
  #go = byId('confirm-go', HTMLButtonElement);
  #weightField = byId('weight-field', HTMLElement);
  #weight = byId('weight', HTMLInputElement);
  #reset = byId('weight-reset', HTMLButtonElement);
  #onDone;
  /** @type {{ row: Row, live: Live, change: Change | null, tag: Promise<string> } | null} */
  #asked = null;

  /** @param {(row: Row, changed: EndpointAlone) => void} onDone */
  constructor(onDone) {
    this.#onDone = onDone;
    byId('confirm-cancel', HTMLButtonElement).addEventListener('click', () => this.#dialog.close());
    this.#reset.addEventListener('click', () => void this.#send({ weight: null }));
    this.#weight.addEventListener('input', () => this.#describe());
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      const change = this.#asked?.change ?? { weight: this.#weight.valueAsNumber };
      void this.#send(change);
    });
    this.#dialog.addEventListener('close', () => (this.#asked = null));
  }

  /** @param {Live} live @param {Row} row @param {Change | 'weight'} asked */
  open(live, row, asked) {
    const isWeight = asked === 'weight';
    const change = isWeight ? null : asked;
    const tag = askTag(row.upstream, row.name);
    // An error is shown when the change is sent; until then no code waits for the tag.
    tag.catch(() => undefined);
    this.#asked = { row, live, change, tag };
    this.#weightField.hidden = !isWeight;
    this.#weight.disabled = !isWeight;
    this.#weight.value = String(row.weight);
    this.#reset.hidden = !isWeight || row.weight === row.configuredWeight;
    const verb = change !== null && 'admin' in change ? VERBS[change.admin] : 'Set the weight';
    setText(this.#title, isWeight ? `Set the weight of ${row.key}?` : `${verb}: ${row.key}?`);
    setText(this.#go, verb);
    setText(this.#error, '');
    this.#describe();
    this.#busy(false);
    this.#dialog.showModal();
    if (isWeight) this.#weight.select();
  }

  #describe() {
    if (this.#asked === null) return;
    const { live, row, change } = this.#asked;
    const weight = this.#weight.valueAsNumber;
    const isNumber = Number.isInteger(weight);
    const { text, isGrave } = consequenceOf(live, row, change ?? { weight: isNumber ? weight : row.weight });
    setText(this.#text, change === null && !isNumber ? 'A weight is a whole number from 1 to 256.' : text);
    this.#text.classList.toggle('grave', isGrave);
    this.#go.classList.toggle('grave', isGrave);
  }

  /** @param {Change} change */
  async #send(change) {
    const asked = this.#asked;
    if (asked === null) return;
    this.#busy(true);
    setText(this.#error, '');
    try {
      const { upstream, name } = asked.row;
      this.#onDone(asked.row, await sendChange(upstream, name, change, await asked.tag));
      this.#dialog.close();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setText(this.#error, `Not done: ${error.message}`);
      // The user may still want the change after reading this.
      if (error.status === 412) asked.tag = askTag(asked.row.upstream, asked.row.name);
    } finally {
      this.#busy(false);
    }
  }

  /** @param {boolean} isBusy */
  #busy(isBusy) {
    this.#go.disabled = isBusy;
    this.#reset.disabled = isBusy;
  }
}
