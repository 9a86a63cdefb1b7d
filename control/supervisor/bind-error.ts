// A listener that could not be bound. Thread: main.

export class BindError extends Error {
  readonly listener: string;
  readonly address: string;

  constructor(listener: string, address: string, why: string) {
    super(`listener ${listener} cannot be bound to ${address}: ${why}`);
    this.name = 'BindError';
    this.listener = listener;
    this.address = address;
  }
}
