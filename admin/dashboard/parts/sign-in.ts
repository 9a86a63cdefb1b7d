// The form for the token, where one is required. It is kept for this tab only, and sent to the API only. Runs in the
// browser.

import type { Caller } from '../types.ts';
import { ApiError, readCaller, token } from '../data/api.ts';
import { byId, setText } from './dom.ts';

export class SignIn {
  readonly #form = byId('sign-in', HTMLFormElement);
  readonly #field = byId('token', HTMLInputElement);
  readonly #error = byId('sign-in-error', HTMLElement);
  readonly #out = byId('sign-out', HTMLButtonElement);
  readonly #onIn: (caller: Caller) => void;

  constructor(onIn: (caller: Caller) => void) {
    this.#onIn = onIn;
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      token.keep(this.#field.value.trim());
      void this.try();
    });
    this.#out.addEventListener('click', () => {
      token.forget();
      // Nothing that the token gave access to stays in the page or in its memory.
      location.reload();
    });
  }

  /** Signs in with the kept token or without one; prompts for one if the API requires it. */
  async try(): Promise<void> {
    try {
      const caller = await readCaller();
      this.#form.hidden = true;
      this.#field.value = '';
      this.#out.hidden = token.read() === '';
      this.#onIn(caller);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status !== 401) {
        this.prompt(`${error.message}.`);
        return;
      }
      const wasGiven = token.read() !== '';
      token.forget();
      this.prompt(wasGiven ? 'This token is not known.' : '');
    }
  }

  /** @param why a sentence, or '' */
  prompt(why: string): void {
    this.#form.hidden = false;
    this.#out.hidden = true;
    setText(this.#error, why);
    this.#field.focus();
  }
}
