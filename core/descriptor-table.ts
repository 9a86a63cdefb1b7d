// Table of descriptors of one kind (balancers, checkers, log formats): the built-in ones, and those of plugins, which
// join for the life of the process. Thread: both.

interface Named {
  readonly name: string;
}

export class DescriptorTable<Descriptor extends Named> {
  readonly #noun: string;
  readonly #builtIn: readonly Descriptor[];
  readonly #byName: Map<string, Descriptor>;
  #all: readonly Descriptor[];

  /** @param noun of one descriptor, for messages: 'balancer' */
  constructor(noun: string, builtIn: readonly Descriptor[]) {
    this.#noun = noun;
    this.#builtIn = builtIn;
    this.#byName = new Map(builtIn.map((descriptor) => [descriptor.name, descriptor]));
    this.#all = builtIn;
  }

  /** The built-in ones first. The same array until one is added. */
  all(): readonly Descriptor[] {
    return this.#all;
  }

  /** @throws Error when there is none: the configuration accepts registered names only */
  named(name: string): Descriptor {
    const descriptor = this.#byName.get(name);
    if (descriptor === undefined) throw new Error(`no ${this.#noun} is named ${name}`);
    return descriptor;
  }

  /** Adds one for the rest of the process. @throws Error when the name is taken */
  add(descriptor: Descriptor): void {
    if (this.#byName.has(descriptor.name)) this.#refuse(descriptor.name);
    this.#set(descriptor);
  }

  /** Adds a plugin's, in place of the one that an earlier version of the plugin added. @throws Error for a built-in name */
  install(descriptor: Descriptor): void {
    if (this.#byName.get(descriptor.name) === descriptor) return;
    if (this.#builtIn.some(({ name }) => name === descriptor.name)) this.#refuse(descriptor.name);
    this.#set(descriptor);
  }

  #set(descriptor: Descriptor): void {
    this.#byName.set(descriptor.name, descriptor);
    this.#all = [...this.#byName.values()];
  }

  #refuse(name: string): never {
    throw new Error(`a ${this.#noun} named ${name} exists already`);
  }
}
