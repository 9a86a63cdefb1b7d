// An intrusive list of open items: adding and removing cost some pointers, and no memory. Thread: worker.

/** An item that can be on a list, one at a time. */
export interface Linked<Item extends Linked<Item>> {
  openIn: OpenList<Item> | null;
  earlierOpen: Item | null;
  laterOpen: Item | null;
}

export class OpenList<Item extends Linked<Item>> {
  #size = 0;
  #newest: Item | null = null;

  get size(): number {
    return this.#size;
  }

  add(item: Item): void {
    item.openIn = this;
    item.earlierOpen = this.#newest;
    if (this.#newest !== null) this.#newest.laterOpen = item;
    this.#newest = item;
    this.#size++;
  }

  /** Removes an item that is on this list. */
  remove(item: Item): void {
    const { earlierOpen, laterOpen } = item;
    if (earlierOpen !== null) earlierOpen.laterOpen = laterOpen;
    if (laterOpen === null) this.#newest = earlierOpen;
    else laterOpen.earlierOpen = earlierOpen;
    item.openIn = null;
    item.earlierOpen = null;
    item.laterOpen = null;
    this.#size--;
  }

  /** A copy of the present items, newest first: they may be removed meanwhile. */
  items(): Item[] {
    const items: Item[] = [];
    for (let item = this.#newest; item !== null; item = item.earlierOpen) items.push(item);
    return items;
  }
}
