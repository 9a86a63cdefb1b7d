// Rows of a long table in chunks: only chunks near the visible part have elements, the others keep their height. Rows may
// have any height. Runs in the browser.

import { make, restoreFocus, setAttribute, setChildren } from './dom.ts';

/** Rows of a chunk. */
const CHUNK_ROWS = 25;
/** Rows up to this number are never removed. */
const ALWAYS_ROWS = 2 * CHUNK_ROWS;
/** Height in pixels of a row that has not been measured. */
const ROW_PX = 28;
/** Distance from the visible part at which a chunk gets its rows. */
const MARGIN = '600px 0px';

/** A row on the page. */
export interface RowView<Item> {
  readonly element: HTMLElement;
  update(item: Item): void;
}

export interface ChunkedParts<Item> {
  readonly body: HTMLElement;
  readonly keyOf: (item: Item) => string;
  readonly create: (item: Item) => RowView<Item>;
}

interface Chunk<Item> {
  readonly element: HTMLElement;
  items: readonly Item[];
  isShown: boolean;
}

export class ChunkedRows<Item> {
  readonly #parts: ChunkedParts<Item>;
  readonly #views = new Map<string, RowView<Item>>();
  readonly #chunks: Chunk<Item>[] = [];
  readonly #sight: IntersectionObserver;

  constructor(parts: ChunkedParts<Item>) {
    this.#parts = parts;
    // Rows are in the chunks, and a group of rows has no groups.
    setAttribute(parts.body, 'role', 'presentation');
    this.#sight = new IntersectionObserver((entries) => this.#look(entries), { rootMargin: MARGIN });
  }

  /** Rows that have elements, by key. */
  get shown(): ReadonlyMap<string, RowView<Item>> {
    return this.#views;
  }

  update(items: readonly Item[]): void {
    const focused = document.activeElement;
    const number = Math.ceil(items.length / CHUNK_ROWS);
    while (this.#chunks.length > number) this.#remove(this.#chunks.pop()!);
    while (this.#chunks.length < number) this.#add();
    const kept = new Set<string>();
    for (const [index, chunk] of this.#chunks.entries()) {
      chunk.items = items.slice(index * CHUNK_ROWS, (index + 1) * CHUNK_ROWS);
      if (items.length <= ALWAYS_ROWS) chunk.isShown = true;
      if (chunk.isShown) for (const item of chunk.items) kept.add(this.#parts.keyOf(item));
    }
    for (const key of this.#views.keys()) if (!kept.has(key)) this.#views.delete(key);
    for (const chunk of this.#chunks) if (chunk.isShown) this.#fill(chunk);
    restoreFocus(focused);
  }

  /** Gives elements to the row at this position of all rows, and returns it. */
  reveal(position: number): RowView<Item> | undefined {
    const chunk = this.#chunks[Math.floor(position / CHUNK_ROWS)];
    const item = chunk?.items[position % CHUNK_ROWS];
    if (chunk === undefined || item === undefined) return undefined;
    this.#show(chunk);
    return this.#views.get(this.#parts.keyOf(item));
  }

  #add(): void {
    const element = make('div', { class: 'chunk', role: 'rowgroup' });
    const chunk = { element, items: [], isShown: this.#chunks.length < ALWAYS_ROWS / CHUNK_ROWS };
    this.#chunks.push(chunk);
    element.style.minHeight = `${CHUNK_ROWS * ROW_PX}px`;
    this.#parts.body.append(element);
    this.#sight.observe(element);
  }

  #remove({ element }: Chunk<Item>): void {
    this.#sight.unobserve(element);
    element.remove();
  }

  #look(entries: readonly IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting, boundingClientRect } of entries) {
      const chunk = this.#chunks.find(({ element }) => element === target);
      if (chunk === undefined) continue;
      if (isIntersecting) this.#show(chunk);
      else this.#hide(chunk, boundingClientRect.height);
    }
  }

  #show(chunk: Chunk<Item>): void {
    if (chunk.isShown) return;
    chunk.isShown = true;
    this.#fill(chunk);
  }

  /** Keeps a chunk with the focus, which would be lost. */
  #hide(chunk: Chunk<Item>, height: number): void {
    const isShort = this.#chunks.length * CHUNK_ROWS <= ALWAYS_ROWS;
    if (!chunk.isShown || isShort || height === 0 || chunk.element.contains(document.activeElement)) return;
    chunk.isShown = false;
    chunk.element.style.minHeight = `${height}px`;
    chunk.element.replaceChildren();
    for (const item of chunk.items) this.#views.delete(this.#parts.keyOf(item));
  }

  #fill({ element, items }: Chunk<Item>): void {
    element.style.minHeight = '';
    const { keyOf, create } = this.#parts;
    const elements = items.map((item) => {
      const key = keyOf(item);
      let view = this.#views.get(key);
      if (view === undefined) {
        view = create(item);
        this.#views.set(key, view);
      }
      view.update(item);
      return view.element;
    });
    setChildren(element, elements);
  }
}
