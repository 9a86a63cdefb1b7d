// The form for the token, where one is needed. It is kept for this tab only, and sent to nobody but the API. Runs in
// the browser.

/** @import { Caller } from './types.d.ts' */

import { ApiError, askCaller, token } from './api.js';
import { byId, setText } from './dom.js';

export class SignIn {
  #form = byId('sign-in', HTMLFormElement);
  #field = byId('token', HTMLInputElement);
  #error = byId('sign-in-error', HTMLElement);
  #out = byId('sign-out', HTMLButtonElement);
  #onIn;

  /** @param {{ onIn: (caller: Caller) => void, onOut: () => void }} parts */
  constructor({ onIn, onOut }) {
    this.#onIn = onIn;
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      token.keep(this.#field.value.trim());
      void this.try();
    });
    this.#out.addEventListener('click', () => {
      token.forget();
      onOut();
      this.ask('');
    });
  }

  /** Goes in if the API lets us, with the token that is kept or without one; else asks for one. */
  async try() {
    try {
      const caller = await askCaller();
      this.#form.hidden = true;
      this.#field.value = '';
      this.#out.hidden = token.read() === '';
      this.#onIn(caller);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status !== 401) {
        this.ask(`${error.message}.`);
        return;
      }
      const wasGiven = token.read() !== '';
      token.forget();
      this.ask(wasGiven ? 'This token is not known.' : '');
    }
  }

  /** @param {string} why in words, or '' */
  ask(why) {
    this.#form.hidden = false;
    this.#out.hidden = true;
    setText(this.#error, why);
    this.#field.focus();
  }
}
